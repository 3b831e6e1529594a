"""Packs tools/editors/vscode into a .vsix: a zip file with the extension, a
manifest and the kinds of its files, as VS Code installs it.

    python3 tools/editors/make_vsix.py FILE

Names are sorted and times fixed, so that the same files give the same bytes.
"""

import json
import pathlib
import sys
import zipfile
from xml.sax.saxutils import escape, quoteattr

FOLDER = pathlib.Path(__file__).parent / "vscode"

# The first moment that a zip file can name.
TIME = (1980, 1, 1, 0, 0, 0)

# What a program at work never reads: types for compilers, maps for debuggers,
# npm's own notes.
LEFT_OUT_SUFFIXES = (".d.ts", ".map", ".tsbuildinfo", ".md")
LEFT_OUT_NAMES = {".bin", ".package-lock.json", ".installed-lock",
                  "package-lock.json"}

CONTENT_TYPES = {".json": "application/json", ".js": "application/javascript",
                 ".vsixmanifest": "text/xml", ".md": "text/markdown",
                 ".txt": "text/plain"}

MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" \
xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011" \
xmlns:d="http://schemas.microsoft.com/developer/vsx-schema-design/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} \
Publisher={publisher}/>
    <DisplayName>{title}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Tags>sgl,policy</Tags>
    <Categories>{categories}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" \
Value="workspace"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" \
Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" \
Path="extension/README.md" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


def manifest_of(package):
    return MANIFEST.format(
        name=quoteattr(package["name"]),
        version=quoteattr(package["version"]),
        publisher=quoteattr(package["publisher"]),
        engine=quoteattr(package["engines"]["vscode"]),
        title=escape(package["displayName"]),
        description=escape(package["description"]),
        categories=escape(",".join(package["categories"])))


def types_of(names):
    suffixes = sorted({pathlib.Path(name).suffix for name in names} - {""})
    defaults = "".join(
        "<Default Extension=%s ContentType=%s/>" % (
            quoteattr(suffix),
            quoteattr(CONTENT_TYPES.get(suffix, "application/octet-stream")))
        for suffix in suffixes)
    return ('<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns='
            '"http://schemas.openxmlformats.org/package/2006/content-types">'
            "%s</Types>\n" % defaults)


def is_wanted(path):
    if LEFT_OUT_NAMES & set(path.parts):
        return False
    is_of_npm = "node_modules" in path.parts
    return not (is_of_npm and path.name.endswith(LEFT_OUT_SUFFIXES))


def collect():
    """Returns the bytes of each file of the package, by name."""
    files = {}
    for path in FOLDER.rglob("*"):
        inner = path.relative_to(FOLDER)
        if path.is_file() and is_wanted(inner):
            files["extension/" + inner.as_posix()] = path.read_bytes()
    package = json.loads(files["extension/package.json"])
    files["extension.vsixmanifest"] = manifest_of(package).encode()
    files["[Content_Types].xml"] = types_of(files).encode()
    return files


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_vsix.py FILE")
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(collect().items()):
            entry = zipfile.ZipInfo(name, TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


if __name__ == "__main__":
    main()
