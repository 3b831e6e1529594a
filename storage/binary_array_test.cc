// Proves the bytes of arrays in PostgreSQL's binary form; that a server takes
// them is in tests/storage/settlement_test.cc.

#include "storage/binary_array.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/guard.h"

namespace sgl::storage {
namespace {

using Of = BinaryArray::Of;

std::string Hex(const BinaryArray& array) {
  return absl::BytesToHexString(array.Finish());
}

TEST(BinaryArrayTest, EmptyHasNoDimension) {
  EXPECT_EQ(Hex(BinaryArray(Of::kText)), "000000000000000000000019");
}

TEST(BinaryArrayTest, TextsStandAsTheyAre) {
  BinaryArray array(Of::kText);
  array.Add("a\"");
  array.AddNullable("");
  array.Add("");
  EXPECT_EQ(Hex(array),
            "00000001"    // one dimension
            "00000001"    // with nulls
            "00000019"    // of texts
            "00000003"    // three of them
            "00000001"    // from 1 on
            "00000002"    // two bytes
            "6122"        // a"
            "ffffffff"    // a null
            "00000000");  // an empty text
}

TEST(BinaryArrayTest, NumbersHaveTheirTypesWidth) {
  BinaryArray integers(Of::kInteger);
  integers.AddInt(-2);
  EXPECT_EQ(Hex(integers),
            "00000001"
            "00000000"
            "00000017"
            "00000001"
            "00000001"
            "00000004"
            "fffffffe");
  BinaryArray bigints(Of::kBigint);
  bigints.AddInt(0x0102030405060708);
  EXPECT_EQ(Hex(bigints),
            "00000001"
            "00000000"
            "00000014"
            "00000001"
            "00000001"
            "00000008"
            "0102030405060708");
}

TEST(BinaryArrayTest, IdsAreSixteenBytes) {
  BinaryArray array(Of::kUuid);
  array.Add("00112233-4455-6677-8899-AABBCCDDEEFF");
  EXPECT_EQ(Hex(array),
            "00000001"
            "00000000"
            "00000b86"
            "00000001"
            "00000001"
            "00000010"
            "00112233445566778899aabbccddeeff");
}

TEST(BinaryArrayTest, WhatPostgresCantHoldIsRefused) {
  const absl::Status no_id = Guard("add", [] {
    BinaryArray(Of::kUuid).Add("acme");
    return absl::OkStatus();
  });
  EXPECT_EQ(no_id.code(), absl::StatusCode::kNotFound);
  const absl::Status nul = Guard("add", [] {
    BinaryArray(Of::kText).Add(absl::string_view("a\0b", 3));
    return absl::OkStatus();
  });
  EXPECT_EQ(nul.code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sgl::storage
