"""The image lens: parts, methods side by side, compression, denoising, recognition, spectral cubes.

Arrays in, arrays and tables out. One idea per file; what takes long is a :class:`~nmf_core.types.Work` built on
`nmf_core.staged`.
"""
