"""Built-in data sets: one file each with INFO and load(); the data lie beside them in data/, each with its NOTICE."""
