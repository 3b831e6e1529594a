// Looks for a text that the formatter breaks: whose tree, comments or errors
// change, or that changes again when formatted twice.
//
//   bazel build --config=fuzz //tests/fuzz:format_fuzzer
//   format_fuzzer -dict=tests/fuzz/sgl.dict -max_len=2000 CORPUS
//
// A text is tried as it is, and as the items of a file whose header is there,
// so that nearly every mutation of an item is worth something.

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "policy/syntax/format_properties.h"

namespace {

void Try(const std::string& text) {
  const std::string broken = sgl::BrokenFormatProperty(text);
  if (broken.empty()) return;
  std::fprintf(stderr, "%s\nof the text:\n%s\n", broken.c_str(), text.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  Try(std::string(text));
  Try(absl::StrCat("policy a version 1\n", text));
  return 0;
}
