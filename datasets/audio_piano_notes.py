"""Three piano-like notes, mixed."""

from __future__ import annotations

import json
import wave

import numpy as np

from datasets._files import DATA
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Piano notes (spectrogram)",
    kind="audio",
    shape=(357, 513),
    story="Eight seconds in which C, E and G sound alone and together; each part is the spectrum of one note.",
    rows_are="moments",
    cols_are="frequencies",
    source="simpleaudio test notes, mixed here",
    licence="MIT (package)",
    citation="J. Hamilton (2015), simpleaudio",
    rank=3,
    order=210,
)
WINDOW, HOP = 1024, 512


def load() -> Dataset:
    """Return moments × frequencies: magnitude of the short-time Fourier transform (Hann, 1024 samples, hop 512)."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    folder = DATA / "audio_piano_notes"
    with wave.open(str(folder / "mixture.wav")) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768
    transform = ShortTimeFFT(hann(WINDOW, sym=False), HOP, fs=rate)
    spectrum = np.abs(transform.stft(samples)).T
    seconds = transform.t(len(samples))
    truth = json.loads((folder / "mixture.json").read_text())
    return Dataset.of(
        spectrum.astype(float),
        INFO.title,
        kind=INFO.kind,
        rows=[f"{t:.2f} s" for t in seconds],
        cols=[f"{f:.0f} Hz" for f in transform.f],
        notes=("Magnitude of the short-time Fourier transform: Hann window of 1024 samples, hop 512.",),
        extra={
            "sample_rate": rate,
            "waveform": samples,
            "onset_seconds": np.array([onset["t"] for onset in truth["onsets_s"]], dtype=float),
            "onset_notes": np.array([onset["note"] for onset in truth["onsets_s"]]),
        },
    )
