/**
 * What the lab takes from the page it stands in: light or dark, and who gets its keys.
 *
 * JupyterLab, marimo, VS Code and Colab each say in an attribute or a class of their document
 * whether they are dark, and a dark system may show a light notebook. Where nothing is said, the
 * system decides.
 */

/** Attributes in which hosts say it: JupyterLab's, VS Code's, Colab's, and that of many others. */
const SAID = ["data-jp-theme-light", "data-vscode-theme-kind", "theme", "data-theme"];

/** @type {Record<string, "light" | "dark">} */
const SCHEMES = {
  "data-jp-theme-light=true": "light",
  "data-jp-theme-light=false": "dark",
  "data-vscode-theme-kind=vscode-light": "light",
  "data-vscode-theme-kind=vscode-dark": "dark",
  "data-vscode-theme-kind=vscode-high-contrast": "dark",
  "data-vscode-theme-kind=vscode-high-contrast-light": "light",
};
const THEME = /(?:^|\s)(light|dark)(?:-theme|-mode)?(?=\s|$)/;

/**
 * Keep an element as light or dark as its host, and light on paper.
 *
 * @param {HTMLElement} root
 * @param {() => void} repaint called when colors are others; all is painted when it returns
 * @returns {() => void} ends it
 */
export function followHost(root, repaint) {
  const follow = () => {
    const scheme = hostScheme();
    if (root.style.colorScheme === scheme) return;
    root.style.colorScheme = scheme;
    repaint();
  };
  const observer = new MutationObserver(follow);
  for (const element of hostElements()) {
    observer.observe(element, { attributes: true, attributeFilter: [...SAID, "class"] });
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", repaint);
  const print = () => {
    root.style.colorScheme = "light";
    repaint();
  };
  addEventListener("beforeprint", print);
  addEventListener("afterprint", follow);
  follow();
  return () => {
    observer.disconnect();
    removeEventListener("beforeprint", print);
    removeEventListener("afterprint", follow);
    system.removeEventListener("change", repaint);
  };
}

/**
 * Keep keys that are meant for an element from the shortcuts of the notebook around it.
 *
 * JupyterLab listens before the element does and looks for the attribute; others listen behind it.
 *
 * @param {HTMLElement} root
 */
export function keepKeys(root) {
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const type of ["keydown", "keypress", "keyup"]) {
    root.addEventListener(type, (event) => event.stopPropagation());
  }
}

/** @returns {string} a value of `color-scheme` */
function hostScheme() {
  for (const element of hostElements()) {
    for (const name of SAID) {
      const value = element.getAttribute(name) ?? "";
      const scheme = SCHEMES[`${name}=${value}`] ?? THEME.exec(value)?.[1];
      if (scheme) return scheme;
    }
    const [, word] = THEME.exec(element.className) ?? [];
    if (word) return word;
  }
  return "light dark";
}

/** The body speaks first: VS Code and JupyterLab speak there alone. */
function hostElements() {
  return [document.body, document.documentElement];
}
