"""What a picture file holds, read before a decoder sees it.

A decoder believes the file: a JPEG 2000 header of 150 bytes can make it take gigabytes, a JPEG that
ends early comes out gray below. So each format's outer structure is walked first; what no camera or
chip writes is refused, and only what decoding needs is handed on.
"""
