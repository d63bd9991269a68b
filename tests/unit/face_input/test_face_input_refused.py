"""Every bad picture ends in its own code, at once and in little memory."""

import subprocess
import sys
import time

import pytest

from biometrics.decoding.errors import ImageTruncatedError
from biometrics.image import ImageError, decode_image
from tests.fixtures.face_pictures import bad_pictures, encode, photo

BAD = bad_pictures()
WHOLE = {
    "jpeg": encode(photo(), "JPEG"),
    "jpeg-gray": encode(photo(mode="L"), "JPEG"),
    "jpeg-restart": encode(photo(), "JPEG", restart_marker_rows=1),
    "jpeg-progressive": encode(photo(), "JPEG", progressive=True),
    "png": encode(photo(), "PNG"),
    "webp": encode(photo(), "WEBP"),
    "jp2": encode(photo(), "JPEG2000"),
    "j2k-tiles": encode(photo(), "JPEG2000", no_jp2=True, tile_size=(32, 32)),
    "jp2-lossy": encode(photo(mode="L"), "JPEG2000", irreversible=True, quality_layers=[40, 10]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_picture_has_its_code(name):
    data, code = BAD[name]
    start = time.process_time()
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    assert caught.value.code == code
    assert caught.value.retryable
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_cut_anywhere_is_refused(name):
    data = WHOLE[name]
    assert decode_image(data).shape == (64, 96, 3)
    for end in range(len(data)):
        with pytest.raises(ImageError):
            decode_image(data[:end])


@pytest.mark.parametrize("part", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("name", ["jpeg", "jpeg-gray", "jpeg-restart"])
def test_a_jpeg_that_a_driver_closed_early_is_refused(name, part):
    """A webcam's driver ends a torn MJPEG frame with EOI; libjpeg would paint the rest gray."""
    data = WHOLE[name]
    with pytest.raises(ImageTruncatedError):
        decode_image(data[: int(len(data) * part)] + b"\xff\xd9")


def test_a_progressive_jpeg_without_its_last_scans_is_refused():
    data = WHOLE["jpeg-progressive"]
    with pytest.raises(ImageTruncatedError):
        decode_image(data[: data.rindex(b"\xff\xda")] + b"\xff\xd9")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set as Linux sets it")
@pytest.mark.parametrize("name", [n for n in BAD if n.startswith(("JP2", "20", "2^", "JPEG of"))])
def test_a_bomb_takes_no_memory(name, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(BAD[name][0])
    program = (
        "import resource, sys\n"
        "from biometrics.image import ImageError, decode_image\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (held + (64 << 20),) * 2)\n"
        "try:\n    decode_image(open(sys.argv[1], 'rb').read())\n"
        "except ImageError as error:\n    print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == BAD[name][1], done.stderr


def test_a_jpeg_of_fill_bytes_is_refused_in_linear_time():
    """4 MiB is what a request may hold; it took hours where every byte was a start to look from."""
    begun = time.process_time()
    with pytest.raises(ImageTruncatedError):
        decode_image(b"\xff\xd8" + b"\xff" * (4 << 20))
    assert time.process_time() - begun < 5
