"""A folder of photos as people have them: JPEG, PNG, HEIC and WebP, with and without metadata."""

import subprocess
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms, PngImagePlugin

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FORMATS = {  # suffix -> Pillow's format, and the photo
    ".jpg": ("JPEG", "cat"),
    ".png": ("PNG", "zebra"),
    ".heic": ("HEIF", "horse"),
    ".webp": ("WEBP", "elephant"),
}
MAKER_NOTE = b"ACME\0\1\2\3" + bytes(range(256)) * 4
MOTION = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 8  # a video behind a JPEG
XMP = b"""<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='Adobe XMP Core 7.0'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>
 <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:my='http://example.org/own/1.0/'
   xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' my:Roof='red' crs:Exposure2012='+0.35'>
  <dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Roof</rdf:li><rdf:li xml:lang='de'>Dach</rdf:li></rdf:Alt></dc:title>
  <my:Walls><rdf:Seq><rdf:li>north</rdf:li><rdf:li>south</rdf:li></rdf:Seq></my:Walls>
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end='w'?>"""


def exif() -> bytes:
    """EXIF of a camera: orientation, time, place, a maker note."""
    data = Image.Exif()
    data[0x010E] = "OLYMPUS DIGITAL CAMERA  "  # where a description belongs
    data[0x010F], data[0x0110], data[0x0112], data[0x0132] = "ACME", "One", 6, "2026:03:01 10:00:00"
    data.get_ifd(0x8769).update({0x9003: "2026:03:01 10:00:00", 0x927C: MAKER_NOTE})
    data.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return data.tobytes()


def make_album(folder: Path) -> list[Path]:
    """Write twenty photos: of each format a bare one, one with EXIF, with a colour profile, with XMP, and with all."""
    pillow_heif.register_heif_opener()
    folder.mkdir()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kinds = {
        "bare": {},
        "exif": {"exif": exif()},
        "profile": {"icc_profile": profile},
        "xmp": {"xmp": XMP},
        "all": {"exif": exif(), "icc_profile": profile, "xmp": XMP},
    }
    paths = []
    for suffix, (format, sample) in FORMATS.items():
        for kind, metadata in kinds.items():
            path = folder / f"{kind}{suffix}"
            more = dict(metadata)
            if format == "PNG" and "xmp" in more:
                texts = PngImagePlugin.PngInfo()
                texts.add_itxt("XML:com.adobe.xmp", more.pop("xmp").decode())
                texts.add_text("Software", "a program")
                more["pnginfo"] = texts
            with Image.open(SAMPLES / f"{sample}.jpg") as photo:
                photo.resize((160, 120)).save(path, format, **more)
            paths.append(path)
    with (folder / "all.jpg").open("ab") as file:
        file.write(MOTION)
    return sorted(paths)


def exiftool(*arguments: str | Path) -> str:
    done = subprocess.run(["exiftool", *map(str, arguments)], capture_output=True, text=True, check=True)
    return done.stdout
