"""The lab's page: hand-written modules, their style sheet, and the document around them.

Rule: modules import each other by ``import { a, b } from "./x.js";`` at their top and by nothing
else, and no two have a top-level name in common. So, laid end to end without these lines, they are
one module, and a browser, a notebook and a single file are all given the same text.
"""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

_FILES = files(__name__)
_IMPORT = re.compile(r'^import \{([^{}]*)\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const)\b)", re.MULTILINE)
_NAME = re.compile(
    r"^(export )?(?:async )?(?:function\*?|class|const|let|var) +([\w$]+)", re.MULTILINE
)
_OTHER = re.compile(
    r"^(?:import|export(?! default))\b.*|^(?:const|let|var) *[\[{].*|.*\bimport *\(.*", re.MULTILINE
)
_COMMENT = re.compile(r"/\*.*?\*/|^ *//[^\n]*", re.DOTALL | re.MULTILINE)


def module(folder: Traversable = _FILES, entry: str = "lab.js") -> str:
    """Return all modules as one, whose default export is that of the entry.

    Args:
        folder: where the modules are.
        entry: the one that imports the others, and alone has a default export.

    Raises:
        ValueError: two modules have a top-level name in common or import each other in a circle, a
            name is imported that is not exported, or another form of import or export is used.
    """
    texts: dict[str, str] = {}
    _lay(folder, entry, {}, texts, ())
    places: dict[str, str] = {}
    for file, text in texts.items():
        for _, name in _NAME.findall(text):
            if name in places:
                raise ValueError(f"{places[name]} and {file} both have the top-level name {name}")
            places[name] = file
    return "\n".join(texts.values())


def style(folder: Traversable = _FILES) -> str:
    """Return the style sheet: all of the folder's, in the order of their names."""
    sheets = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".css")),
        key=lambda file: file.name,
    )
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def document(*, title: str, style: str, script: str, state: str, language: str = "en") -> str:
    """Return the document that a server gives: no script and no style stands in it.

    Args:
        title: of the window.
        style: the address of the style sheet.
        script: the address of the module that starts the page.
        state: what it starts with, as JSON; it stands in an attribute of the page's element.
        language: of its text.
    """
    from jinja2 import Environment, StrictUndefined

    template = (_FILES / "document.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(template).render(
        title=title, style=style, script=script, state=state, language=language
    )


def _lay(
    folder: Traversable,
    file: str,
    exports: dict[str, set[str]],
    texts: dict[str, str],
    above: tuple[str, ...],
) -> None:
    """Put a module's text behind those of the modules that it imports, and note its exports."""
    if file in above:
        raise ValueError(f"a circle of imports: {' -> '.join((*above, file))}")
    if file in texts:
        return
    source = (folder / file).read_text(encoding="utf-8")
    for names, other in _IMPORT.findall(source):
        _lay(folder, other, exports, texts, (*above, file))
        missing = {name.strip() for name in names.split(",") if name.strip()} - exports[other]
        if missing:
            raise ValueError(f"{file}: {other} exports no {', '.join(sorted(missing))}")
    text = _IMPORT.sub("", source)
    exports[file] = {name for exported, name in _NAME.findall(text) if exported}
    text = _EXPORT.sub("", text)
    code = _COMMENT.sub("", text)
    refused = _OTHER.search(code)
    if refused is not None:
        raise ValueError(f"{file}: this form of import, export or const is not read: {refused[0]}")
    if bool(re.search(r"^export default\b", code, re.MULTILINE)) == bool(above):
        raise ValueError(f"{file}: the entry has a default export, and no other module has")
    texts[file] = text
