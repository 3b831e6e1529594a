// Proves that reading what fits does not allocate once the reader has grown:
// counts every operator new over lines and requests of many shapes.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace {

std::atomic<int64_t> allocation_count{0};

}  // namespace

// Without exceptions, there is no answer to exhausted memory but the end.
void* operator new(size_t size) {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new(size_t size, std::align_val_t alignment) {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  const size_t unit = static_cast<size_t>(alignment);
  void* const memory =
      std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
  if (memory == nullptr) std::abort();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace sgl {
namespace {

constexpr char kPolicy[] = R"(policy test.allocation version 1
layer platform
default allow

intent * { note: string? }
intent ORDER {
  total: usd,
  share: decimal?,
  side: enum(buy, sell)?,
  at: timestamp?,
  items: list<{ name: string, tags: list<string> }>?
}

review BIG on ORDER when payload.total > $100
review NAMED on ORDER
  when has payload.items and any x in payload.items: x.name == "n"
review SECRET when scan(payload, /secret/)
)";

// Lines of every kind of value, longer and shorter than the ones before.
std::vector<std::string> Lines() {
  std::vector<std::string> lines;
  for (int i = 0; i < 200; ++i) {
    std::string items;
    for (int j = 0; j < i % 7; ++j) {
      absl::StrAppend(&items, j == 0 ? "" : ",", R"({"name": "item )", j,
                      R"(", "tags": ["a", "b\n"], "undeclared": {"k": [)", i,
                      R"(]}})");
    }
    std::string more;
    for (int j = 0; j < i % 40; ++j) {
      absl::StrAppend(&more, ", \"a long key of number ", j, "\": null");
    }
    lines.push_back(absl::StrCat(
        R"({"intent": {"type": "ORDER", "id": "an id that is not short",)",
        R"( "spend_usd": )", i, R"(.25, "data_class": "PII", "payload":)",
        R"( {"total": )", i, R"(.5, "share": 0.12345678901234567, "side":)",
        R"( "sell", "at": "2026-03-01T09:00:00.25Z", "note": "\u20ac", )",
        R"("items": [)", items, "]", more,
        R"(}}, "agent": {"name": "ATLAS", "labels": ["x", "y"]}, "tenant": )",
        R"({"slug": "acme", "connected": ["google"]}, "budget": )",
        R"({"remaining_usd": 50, "limit_usd": 100}, )",
        R"("now": "2026-03-01T09:00:00Z"})"));
  }
  return lines;
}

TEST(RequestReaderAllocationTest, ReadingAgainAllocatesNothing) {
  const std::vector<SourceFile> sources = {{"a.sgl", kPolicy}};
  const Compilation compilation = Compile(sources, Zones{});
  ASSERT_NE(compilation.program, nullptr) << compilation.Render();
  const std::vector<std::string> lines = Lines();
  std::vector<RequestLine> requests;
  for (const std::string& line : lines) {
    absl::StatusOr<RequestLine> request = RequestLine::Read(line);
    ASSERT_TRUE(request.ok()) << request.status();
    requests.push_back(*std::move(request));
  }
  RequestReader reader(*compilation.program);
  ParsedRequest of_line;
  ParsedRequest of_request;
  const auto read_all = [&] {
    const int64_t before = allocation_count;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (!reader.ReadLine(lines[i], nullptr, &of_line).ok())
        return int64_t{-1};
      reader.Read(requests[i].request(), &of_request);
    }
    return allocation_count - before;
  };
  EXPECT_GT(read_all(), 0);
  for (int round = 0; round < 10; ++round) EXPECT_EQ(read_all(), 0);
}

}  // namespace
}  // namespace sgl
