"""C++ from .proto files, with Debian's protoc and grpc_cpp_plugin."""

def cc_proto_sources(name, srcs, import_path, outs, grpc = False, includes = [], tools_srcs = []):
    """Generates C++ sources with protoc.

    Args:
      name: the genrule's name.
      srcs: .proto labels to generate from.
      import_path: shell text for the folder that imports are relative to.
      outs: the files that protoc writes, relative to this package.
      grpc: whether to generate service stubs as well.
      includes: further shell texts of import folders.
      tools_srcs: labels that imports need but that generate nothing here.
    """
    plugin = ""
    if grpc:
        plugin = "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin --grpc_out=$(RULEDIR)"
    native.genrule(
        name = name,
        srcs = srcs + tools_srcs,
        outs = outs,
        cmd = " ".join(
            ["/usr/bin/protoc", "-I" + import_path] +
            ["-I" + path for path in includes] +
            ["-I/usr/include", "--cpp_out=$(RULEDIR)", plugin] +
            ["$(locations %s)" % src for src in srcs],
        ),
        message = "Generating C++ from protos",
    )
