// Proves which files a path stands for, and that a mistake in a path is named.

#include "engine/policy_files.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sgl::engine {
namespace {

using ::testing::ElementsAre;

std::string NewFolder(const std::string& name) {
  const std::string folder = absl::StrCat(::testing::TempDir(), "/", name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

void Write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(
      std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

TEST(ReadPolicyFilesTest, FoldersGiveTheirSglFilesSortedAndOnce) {
  const std::string folder = NewFolder("folders");
  Write(folder + "/b.sgl", "b");
  Write(folder + "/deep/a.sgl", "a");
  Write(folder + "/notes.txt", "no");
  const auto sources = ReadPolicyFiles({folder, folder + "/b.sgl"});
  ASSERT_TRUE(sources.ok()) << sources.status();
  std::vector<std::string> names;
  for (const SourceFile& source : *sources) names.push_back(source.name);
  EXPECT_THAT(names, ElementsAre(folder + "/b.sgl", folder + "/deep/a.sgl"));
  EXPECT_EQ((*sources)[1].text, "a");
}

TEST(ReadPolicyFilesTest, TheFolderOneIsInAddsNothingToNames) {
  const std::string folder = NewFolder("here");
  Write(folder + "/a.sgl", "a");
  Write(folder + "/deep/b.sgl", "b");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const auto sources = ReadPolicyFiles({".", "a.sgl"});
  std::filesystem::current_path(before);
  ASSERT_TRUE(sources.ok()) << sources.status();
  std::vector<std::string> names;
  for (const SourceFile& source : *sources) names.push_back(source.name);
  EXPECT_THAT(names, ElementsAre("a.sgl", "deep/b.sgl"));
}

TEST(ReadPolicyFilesTest, MistakesAreNamed) {
  const std::string folder = NewFolder("empty");
  EXPECT_EQ(ReadPolicyFiles({folder}).status().message(),
            absl::StrCat("folder `", folder, "` holds no .sgl file"));
  EXPECT_EQ(ReadPolicyFiles({folder + "/x"}).status().message(),
            absl::StrCat("policy path `", folder, "/x` does not exist"));
}

}  // namespace
}  // namespace sgl::engine
