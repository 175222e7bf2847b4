"""Sound: WAV, FLAC, OGG, AIFF as moments × frequencies."""

from __future__ import annotations

import io

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

CLIP = 60


def read_sound(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read a sound and take the magnitude of its short-time Fourier transform (Hann window, half overlap)."""
    import soundfile

    try:
        file = soundfile.SoundFile(io.BytesIO(data))
    except Exception as error:  # LibsndfileError, RuntimeError, TypeError …
        raise Refused("damaged", "The sound is damaged or of an unknown kind", hint="Save it as WAV or FLAC") from error
    with file:
        rate, frames, channels = int(file.samplerate), int(file.frames), int(file.channels)
        if frames <= 0:
            raise Refused("no-rows", "The sound holds no samples", hint="Choose another file")
        if rate <= 0 or channels <= 0 or channels > 64:
            raise Refused(
                "damaged", "The sound's header is damaged", f"{channels} channels at {rate} Hz", "Save it as WAV"
            )
        seconds = frames / rate
        # A spectrogram has hardly more cells than the sound has samples; channels are read before they are averaged.
        most = min(
            talk.limits.audio_seconds, talk.limits.cells / (1.05 * rate), 8 * talk.limits.cells / (rate * channels)
        )
        if seconds > most:
            clip = max(1, min(CLIP, int(most)))
            options = [Option("refuse", "Do not read it"), Option("clip", f"Read the first {clip} seconds", clip)]
            if talk.ask("clip", "Read the beginning?", options, "refuse", required=False) != "clip":
                raise Refused(
                    "too-long",
                    f"The sound is {seconds / 60:.1f} minutes long; the limit for sounds of {rate:,} Hz is {most / 60:.3g} minutes",
                    hint=f"Cut it, or choose to read the first {clip} seconds",
                )
            frames = clip * rate
            talk.note("clipped", f"The first {clip} seconds of {seconds / 60:.1f} minutes were read.", "clip")
        try:
            samples = file.read(frames, dtype="float32", always_2d=True)
        except Exception as error:
            raise Refused("damaged", "The sound is damaged or cut off", hint="Save it as WAV or FLAC") from error
        kind = str(file.subtype_info)
    if not len(samples):
        raise Refused("no-rows", "The sound holds no samples", hint="Choose another file")
    if channels > 1:
        talk.note("mono", f"{channels} channels were averaged to one.")
    wave = samples.mean(axis=1)
    if not np.isfinite(wave).all():
        talk.note("sound-nonfinite", f"{int((~np.isfinite(wave)).sum()):,} samples that are no numbers were set to 0.")
        wave = np.nan_to_num(wave, nan=0.0, posinf=0.0, neginf=0.0)
    window = int(2 ** np.clip(np.round(np.log2(0.046 * rate)), 6, 13))
    hop = window // 2
    if len(wave) < 2 * window:
        raise Refused(
            "too-small",
            f"The sound is {len(wave)} sample{'s' * (len(wave) != 1)} long; at least {2 * window} are needed",
            hint="Choose a longer sound",
        )
    spectrum = magnitudes(wave, window, hop)
    frequency = np.fft.rfftfreq(window, 1.0 / rate)
    talk.note(
        "spectrogram",
        f"{kind}, {rate:,} Hz, {len(wave) / rate:.2f} s: magnitude of the short-time Fourier transform, Hann window of {window} samples, hop {hop}.",
    )
    rows = np.array([f"{p * hop / rate:.3f} s" for p in range(len(spectrum))])
    cols = np.array([f"{f:.0f} Hz" if f == round(f) or rate > 4000 else f"{f:.2f} Hz" for f in frequency])
    extra = {
        "sample_rate": rate,
        "waveform": wave.astype(np.float32),
        "window": window,
        "hop": hop,
        "frequency": frequency,
    }
    return Raw(spectrum.astype(np.float32), rows, cols, kind="audio", extra=extra)


def magnitudes(wave: Array, window: int, hop: int) -> Array:
    """Return moments × frequencies: |short-time Fourier transform| with a periodic Hann window.

    Frame p is centred on sample p·hop and the sound is padded with zeros, as in `scipy.signal.ShortTimeFFT`; written out
    here because importing it takes longer than reading the file.
    """
    frames = -(-(len(wave) - 1 + window // 2) // hop)  # the window begins with a zero
    padded = np.zeros((frames - 1) * hop + window, dtype=np.float64)
    padded[window // 2 : window // 2 + len(wave)] = wave[: len(padded) - window // 2]
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    starts = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    result = np.empty((frames, window // 2 + 1), dtype=np.float64)
    for at in range(0, frames, 256):  # in blocks: the frames overlap and would take twice the memory at once
        result[at : at + 256] = np.abs(np.fft.rfft(starts[at : at + 256] * hann, axis=1))
    return result
