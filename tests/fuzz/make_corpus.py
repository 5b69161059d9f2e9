#!/usr/bin/python3
"""Writes the seeds of the fuzz targets into corpus/: small files, whole and damaged.

usage: tests/fuzz/make_corpus.py
"""
import gzip
import json
import pathlib
import struct
import zipfile

import numpy as np

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def write(folder, name, content):
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    (CORPUS / folder / name).write_bytes(content)


def safetensors(header, elements=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack("<Q", len(text)) + text + elements


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def make_safetensors():
    write("safetensors", "two", safetensors({"__metadata__": {"format": "pt", "lr": "0.1"},
                                             "weight": entry("F32", [2, 2], 0, 16), "bias": entry("F64", [1], 16, 24)},
                                            bytes(range(24))))
    kinds = [("BOOL", 1), ("I64", 8), ("I8", 1), ("U8", 1), ("I16", 2), ("U16", 2), ("I32", 4), ("U32", 4), ("F16", 2), ("BF16", 2)]
    header, end = {}, 0
    for kind, size in kinds:
        header[kind] = entry(kind, [size, 1], end, end + size * size)
        end += size * size
    write("safetensors", "kinds", safetensors(header, bytes(i % 2 for i in range(end))))
    sparse = {"__metadata__": {"x.layout": "sparse, coalesced"}, "x.indices": entry("I64", [1, 1], 0, 8),
              "x.values": entry("F64", [1], 8, 16), "x.size": entry("I64", [1], 16, 24)}
    write("safetensors", "sparse", safetensors(sparse, struct.pack("<qdq", 1, 0.5, 3)))
    write("safetensors", "empty", safetensors({"a": entry("F32", [0, 3], 0, 0)}))
    write("safetensors", "nothing", safetensors({}))
    write("safetensors", "twice", safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":1}', b"a"))
    write("safetensors", "hole", safetensors({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, b"abc"))
    write("safetensors", "overflow", safetensors({"a": entry("F64", [2**62, 4], 0, 8)}, bytes(8)))
    write("safetensors", "deep", safetensors(b'{"a":' + b"[" * 100))
    write("safetensors", "long", struct.pack("<Q", 2**63) + b"{}")


def make_npy_and_npz():
    arrays = {"doubles": np.arange(6.0).reshape(2, 3), "floats": np.arange(4, dtype=np.float32), "whole": np.array(7),
              "bytes": np.arange(3, dtype=np.uint8), "halves": np.ones((2, 1), np.float16), "bools": np.array([True, False]),
              "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "big": np.arange(2, dtype=">f8"),
              "none": np.zeros((0, 2)), "text": np.array(["a"]), "record": np.zeros(1, [("a", "f8"), ("b", "i4")])}
    for folder in "npy", "npz":
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(CORPUS / "npy" / name, array)
    np.savez(CORPUS / "npz" / "stored", doubles=arrays["doubles"], whole=arrays["whole"])
    np.savez_compressed(CORPUS / "npz" / "deflated", zeros=np.zeros((100, 10)), bools=arrays["bools"])
    with zipfile.ZipFile(CORPUS / "npz" / "text", "w") as archive:
        archive.writestr("readme.txt", "no array")
    stored = (CORPUS / "npz" / "stored.npz").read_bytes()
    write("npz", "cut", stored[:-30])
    write("npz", "damaged", stored[:150] + b"\xff" + stored[151:])


def make_scipy():
    data = {"data": np.array([5.0, 6.0, 7.0]), "shape": np.array([3, 2]), "format": np.array(b"csr")}
    (CORPUS / "scipy").mkdir(parents=True, exist_ok=True)
    np.savez(CORPUS / "scipy" / "csr", indices=np.array([1, 0, 1]), indptr=np.array([0, 1, 1, 3]), **data)
    np.savez(CORPUS / "scipy" / "coo", row=np.array([0, 2, 2]), col=np.array([1, 0, 1]), **data)
    np.savez(CORPUS / "scipy" / "wrong", indices=np.array([1, 0, 9]), indptr=np.array([0, 5, 1, 3]), **data)


def make_text():
    write("text", "header", b"a,b\n1,2.5\n-3,4e1\n")
    write("text", "quoted", b'\xef\xbb\xbf"1";"2"\r\n"3";"+4e1"\r\n')
    write("text", "blanks", b"  1  2.5 \n-3 nan\n\n")
    write("text", "ragged", b"1,2\n3\n")
    write("text", "named", b'name;a;b\n# comment\n"x ""y""";1,5;\nz;NA;3\n')
    write("triples", "movielens", b"1::1193::5::978300760\n1::661::3::978302109\n2::1193::4::978298413\n")
    write("triples", "header", b'user,item,rating,timestamp\nann,"dune, 2",3.5,1\nbob,dune,NA,2\n')
    write("triples", "numbers", b"7 20 3.5\n1073741823 30 1\n12 20 -5e-3\n")
    write("triples", "mixed", b"1,2,3\n007,x,4\n99999999999,2,1e38\n")
    write("triples", "weights", b"user\titem\trating\tweight\n1\t2\t3\t0.5\n")
    table = b"".join(b"%d %d %d\n" % (i % 9, i % 7, i % 5) for i in range(300))
    write("compressed", "gzip", gzip.compress(table, mtime=0))
    write("compressed", "two", gzip.compress(table[:90], mtime=0) + gzip.compress(b"1 2 3\n", mtime=0) + bytes(9))
    write("compressed", "cut", gzip.compress(table, mtime=0)[:-9])
    # Zstandard: one frame with a raw block.
    write("compressed", "zstd", bytes.fromhex("28b52ffd2006") + struct.pack("<I", 6 << 3 | 1)[:3] + b"1 2 3\n")
    write("matrix_market", "coordinate", b"%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n1 1 2.5\n3 1 -1\n")
    write("matrix_market", "pattern", b"%%MatrixMarket matrix coordinate pattern general\n999999999 2 1\n999999999 2\n")
    write("matrix_market", "general", b"%%MatrixMarket matrix array real general\n% comment\n2 3\n1\n4\n2\n5\n3\n6\n")
    write("matrix_market", "symmetric", b"%%MatrixMarket matrix array integer symmetric\n2 2\n1\n2\n3\n")
    write("matrix_market", "large", b"%%MatrixMarket matrix array real general\n999999999 999999999\n1\n")


def make_answers():
    write("answers", "recommend", b"/recommend\nrow=bob&n=3&explain=1\n")
    write("answers", "predict", b'/predict\n\n{"pairs":[["ann","a"],["zoe","e"]]}')
    write("answers", "similar", b"/similar\nid=a&of=columns\n")
    write("answers", "fold_in", b'/fold-in\n\n{"entries":{"a":5,"c":1.5},"n":2}')
    write("answers", "model", b"/model\n\n")


make_answers()
make_safetensors()
make_npy_and_npz()
make_text()
make_scipy()
