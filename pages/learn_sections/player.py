"""The player of films: a canvas, a Play button and a scrubber in the browser; nothing is asked of the server meanwhile."""

from __future__ import annotations

from typing import Any

import streamlit as st

from nmf_core.figures.learn_film import PartsFilm
from pages.ui.state import remember, seed

HTML = """
<p class="head" aria-hidden="true"></p>
<canvas role="img"></canvas>
<div class="row">
  <button type="button"></button>
  <input type="range" min="0" step="1" aria-label="Iteration of the film">
</div>
"""
CSS = """
.head { margin: 0 0 0.4rem; font-weight: 600; color: var(--st-text-color); font-variant-numeric: tabular-nums; }
canvas { width: 100%; display: block; }
.row { display: flex; gap: 0.8rem; align-items: center; margin-top: 0.6rem; }
input { flex: 1; accent-color: var(--st-primary-color); height: 1.6rem; }
button { font: inherit; min-width: 6.5rem; padding: 0.35rem 0.8rem; border-radius: 0.4rem; cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color); border: 1px solid var(--st-border-color); }
button:focus-visible, input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
"""
# Frames are blended, six of them a second; who prefers less motion sees them change without blending.
JS = """
const players = new WeakMap();
export default function (component) {
  const { parentElement: root, data, setStateValue } = component;
  let p = players.get(root);
  if (!p) { p = { t: data.at, playing: false }; players.set(root, p); }
  const find = (name) => root.querySelector(name);
  const [head, canvas, button, range] = [find('.head'), find('canvas'), find('button'), find('input')];
  const cells = data.rank * data.height * data.width;
  if (p.bytes !== data.bytes) {
    if (p.bytes !== undefined) { p.t = data.at; p.playing = false; }
    p.bytes = data.bytes;
    p.pixels = Uint8Array.from(atob(data.bytes), (c) => c.charCodeAt(0));
  }
  const last = data.iterations.length - 1;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  range.max = last;
  canvas.setAttribute('aria-label', data.alt);
  const values = () => {
    const a = Math.floor(p.t), b = Math.min(a + 1, last), f = calm ? 0 : p.t - a, out = new Float32Array(cells);
    for (let i = 0; i < cells; i++) out[i] = ((1 - f) * p.pixels[a * cells + i] + f * p.pixels[b * cells + i]) / 255;
    return out;
  };
  const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
  const tiles = (v, g, wide, ratio) => {
    const columns = Math.ceil(data.rank / (wide < 620 ? Math.ceil(data.rank / 4) : 2)), rows = Math.ceil(data.rank / columns);
    const gap = 6, side = Math.min((wide - gap * (columns - 1)) / columns, 300 * rem() / 15 / rows);
    const high = side * data.height / data.width;
    resize(wide, rows * (high + gap), ratio);
    const tile = new ImageData(data.width, data.height), paper = document.createElement('canvas');
    paper.width = data.width; paper.height = data.height;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.imageSmoothingEnabled = false;
    for (let k = 0; k < data.rank; k++) {
      for (let i = 0; i < data.width * data.height; i++) {
        const x = v[k * data.width * data.height + i];
        tile.data.set([255 - 243 * x, 255 - 237 * x, 255 - 217 * x, 255], 4 * i);
      }
      paper.getContext('2d').putImageData(tile, 0, 0);
      g.drawImage(paper, (k % columns) * (side + gap), Math.floor(k / columns) * (high + gap), side, high);
    }
  };
  const bars = (v, g, wide, ratio) => {
    const line = 1.5 * rem(), m = data.width, gap = 28, part = (wide - gap * (data.rank - 1)) / data.rank;
    resize(wide, line * (m + 1.5), ratio);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const css = getComputedStyle(canvas);
    g.font = `${0.9 * rem()}px ${css.fontFamily}`;
    g.textBaseline = 'middle';
    for (let k = 0; k < data.rank; k++) {
      const x = k * (part + gap);
      g.fillStyle = css.getPropertyValue('--st-text-color');
      g.fillText(`Part ${k + 1}`, x, line / 2);
      for (let j = 0; j < m; j++) {
        const y = line * (j + 1.2);
        g.fillStyle = css.getPropertyValue('--st-primary-color');
        g.globalAlpha = 0.35;
        g.fillRect(x, y, part * v[k * m + j], line * 0.8);
        g.globalAlpha = 1;
        g.fillStyle = css.getPropertyValue('--st-text-color');
        g.fillText(data.cols[j], x + 6, y + line * 0.4, part - 8);
      }
    }
  };
  const resize = (wide, high, ratio) => {
    canvas.style.height = `${high}px`;
    canvas.width = Math.round(wide * ratio); canvas.height = Math.round(high * ratio);
  };
  const draw = () => {
    const wide = canvas.clientWidth, ratio = window.devicePixelRatio || 1, at = Math.round(p.t);
    if (!wide) return;
    (data.bars ? bars : tiles)(values(), canvas.getContext('2d'), wide, ratio);
    head.textContent = data.heads[at];
    range.value = at;
    range.setAttribute('aria-valuetext', data.heads[at]);
    button.textContent = p.playing ? '❚❚ Pause' : '▶ Play';
  };
  const tell = () => setStateValue('frame', Math.round(p.t));
  const tick = (now) => {
    if (!p.playing || !canvas.isConnected) return;
    p.t = Math.min(last, p.t + Math.min(0.2, (now - p.before) / 1000) * 6);
    p.before = now;
    if (p.t >= last) { p.playing = false; tell(); }
    draw();
    if (p.playing) requestAnimationFrame(tick);
  };
  button.onclick = () => {
    p.playing = !p.playing;
    if (p.playing) {
      if (p.t >= last) p.t = 0;
      p.before = performance.now();
      requestAnimationFrame(tick);
    } else { p.t = Math.round(p.t); tell(); }
    draw();
  };
  range.oninput = () => { p.playing = false; p.t = Number(range.value); draw(); };
  range.onchange = tell;
  const watch = new ResizeObserver(() => draw());
  watch.observe(root instanceof ShadowRoot ? root.host : root);
  draw();
  return () => watch.disconnect();
}
"""


def play(film: PartsFilm, key: str) -> int:
    """Draw a film with Play and scrubber; return the frame on which it stands, which is kept in the address.

    Parameters
    ----------
    film : PartsFilm
    key : str
        Of the player; another film needs another one.
    """
    last = len(film.iterations) - 1

    def parse(content: str) -> int:
        if not 0 <= int(content) <= last:
            raise ValueError(content)
        return int(content)

    seed("frame", 0, parse)
    at = min(int(st.session_state["frame"]), last)
    player = st.components.v2.component("nmf_explorer.film", html=HTML, css=CSS, js=JS)
    state: Any = player(
        key=key, data={**film.payload(), "at": at}, default={"frame": at}, on_frame_change=_changed, height="content"
    )
    frame = min(int(state.frame), last)
    st.session_state["frame"] = frame
    remember("frame", frame, 0)
    return frame


def _changed() -> None:
    """Run the page again when the film is stopped or scrubbed, so that the address says where it stands."""
