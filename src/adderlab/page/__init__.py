"""The lab's page: hand-written modules, their style sheet, and the document around them.

Rule: modules import each other by ``import { a, b } from "./x.js";`` at their top and by nothing
else, and no two have a top-level name in common. So, laid end to end without these lines, they are
one module, and a browser, a notebook and a single file are all given the same text.
"""

import base64
import hashlib
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
_START = re.compile(r'^import lab from "\./lab\.js";\n', re.MULTILINE)
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
    return _rendered(
        "document.html.j2", title=title, style=style, script=script, state=state, language=language
    )


def single_file(*, title: str, state: str, origin: str = "", language: str = "en") -> str:
    """Return the document that is all of the page: it loads nothing and speaks to nobody.

    Its policy allows the one script and the one style sheet that stand in it, by their hashes.

    Args:
        title: of the window.
        state: what it starts with, as JSON; it stands in an attribute of the page's element.
        origin: where the network comes from, as JSON, which stands among the metadata.
        language: of its text.
    """
    script, sheet = program(), style()
    for text, end in ((script, "</script"), (script, "<!--"), (sheet, "</style")):
        if end in text.lower() or "\r" in text:
            raise ValueError(f"the page's own text has {end} or a carriage return in it")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(sheet)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return _rendered(
        "file.html.j2",
        title=title,
        policy=policy,
        style=sheet,
        script=script,
        state=state,
        origin=origin,
        language=language,
    )


def program(folder: Traversable = _FILES, start: str = "filed.js") -> str:
    """Return all modules and the one that starts them in a single file, as one module.

    Args:
        folder: where the modules are.
        start: a module that imports the entry's default export as ``lab``, and nothing else.

    Raises:
        ValueError: they can't be laid end to end (:func:`module`), or the start has another import,
            or a top-level name that they have.
    """
    joined = module(folder)
    source = (folder / start).read_text(encoding="utf-8")
    text, count = _START.subn("", source)
    shared = {name for _, name in _NAME.findall(joined)} & {name for _, name in _NAME.findall(text)}
    if count != 1 or shared or _OTHER.search(_COMMENT.sub("", text)):
        what = f"the top-level name {min(shared)} is another module's" if shared else "its imports"
        raise ValueError(f"{start} can't stand behind the page's modules: {what}")
    return joined.replace("\nexport default ", "\nconst lab = ") + text


def _rendered(template: str, *, title: str, **values: str) -> str:
    """Return a document; of a title that is no text in UTF-8, what can be shown of it."""
    from jinja2 import Environment, StrictUndefined

    source = (_FILES / template).read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    title = title.encode("utf-8", "replace").decode()
    return environment.from_string(source).render(title=title, **values)


def _hash(text: str) -> str:
    """Return a text's hash as a policy has it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


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
