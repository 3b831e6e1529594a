// A column of a batch as a PostgreSQL array in its binary form: one parameter,
// which neither side has to escape or to parse. Internal to storage/.
//
//   BinaryArray ids(BinaryArray::Of::kUuid);
//   BinaryArray texts(BinaryArray::Of::kText);
//   for (...) { ids.Add(id); texts.AddNullable(text); }
//   session.Exec(kSomeSql, {&ids, &texts}, Args());
//
// For small lists a plain ArrayText (session.h) is as good and can be read.

#ifndef STORAGE_BINARY_ARRAY_H_
#define STORAGE_BINARY_ARRAY_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>

namespace sgl::storage {

class BinaryArray {
 public:
  // The elements' type: its number in every PostgreSQL's pg_type.
  enum class Of : uint32_t {
    kBigint = 20,
    kInteger = 23,
    kText = 25,
    kUuid = 2950,
  };

  explicit BinaryArray(Of type) : type_(type) {}

  // Raises INVALID_ARGUMENT for a text with a NUL byte, NOT_FOUND for an id
  // that is no UUID. REQUIRES: of texts or UUIDs (in their text form).
  void Add(absl::string_view element);
  // REQUIRES: of integers or bigints, and it fits.
  void AddInt(int64_t element);
  void AddNull();
  // An empty text is null.
  void AddNullable(absl::string_view element);

  // Returns the whole array.
  std::string Finish() const;

 private:
  Of type_;
  int32_t count_ = 0;
  bool has_null_ = false;
  // Each element's length, or -1, and its bytes.
  std::string elements_;
};

}  // namespace sgl::storage

#endif  // STORAGE_BINARY_ARRAY_H_
