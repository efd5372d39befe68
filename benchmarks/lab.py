"""How fast the lab's page is in Chromium: ready, drag to redraw, frames a second while it trains.

Run: ``python benchmarks/lab.py [--seconds 5]``. The page is that of ``adderlab open``, with the
prover behind it. Times depend on the machine: what is claimed is written beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from statistics import median, quantiles

from playwright.sync_api import sync_playwright

READY = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  done(performance.now() - navigation.responseEnd);
})))"""

DRAG = """(moves) => new Promise((done) => {
  const target = document.querySelector(".label");
  const {x, y, width, height} = target.getBoundingClientRect();
  const at = {clientX: x + width / 2, button: 0, pointerId: 1, bubbles: true};
  target.setPointerCapture = () => {};
  target.dispatchEvent(new PointerEvent("pointerdown", {...at, clientY: y}));
  const times = [];
  let move = 0;
  const step = () => {
    if (move === moves) {
      target.dispatchEvent(new PointerEvent("pointerup", at));
      return done(times);
    }
    let handled = 0;
    requestAnimationFrame(() => { // before the page's own
      const frame = performance.now();
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { times.push(handled + performance.now() - frame); step(); };
      channel.port2.postMessage(null); // answered after the frame was made
    });
    const start = performance.now();
    target.dispatchEvent(new PointerEvent("pointermove", {...at, clientY: y + (move++ % 97)}));
    handled = performance.now() - start;
  };
  step();
})"""

FRAMES = """(ms) => new Promise((done) => {
  let frames = 0;
  const start = performance.now();
  const count = (now) => {
    frames += 1;
    if (now - start < ms) requestAnimationFrame(count);
    else done(1000 * frames / (now - start));
  };
  requestAnimationFrame(count);
})"""


def main() -> None:
    """Print the three times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("Chromium is not installed")
    command = [sys.executable, "-m", "adderlab", "open", "--no-browser", "--json"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    try:
        address = json.loads(server.stdout.readline())["address"]
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=path, args=flags)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            ready = []
            for _ in range(7):
                page.goto(address)
                page.locator(".adderlab-lab").wait_for()
                ready.append(page.evaluate(READY))
            print(f"ready after the server's answer: {median(ready):.0f} ms (claim: 1000)")
            times = page.evaluate(DRAG, 400)
            late = quantiles(times, n=20)[-1]
            # The work of an event and of the frame that shows it, without the wait for that frame.
            print(f"drag to redraw: median {median(times):.1f} ms, 95th {late:.1f} ms (claim: 16)")
            page.get_by_label("seed of the weights").press("Enter")
            page.get_by_role("button", name="train").first.click()
            rate = page.evaluate(FRAMES, 1000 * options.seconds)
            steps = page.locator(".step").inner_text()
            print(f"training: {rate:.0f} frames a second (claim: 30); {steps}")
            browser.close()
    finally:
        server.send_signal(signal.SIGTERM)
        _ = server.wait(timeout=20)


if __name__ == "__main__":
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    main()
