#include "tools/sgl/lsp/analysis.h"

#include <algorithm>
#include <utility>

#include "base/zone_loader.h"
#include "policy/check/check.h"
#include "policy/syntax/parser.h"

namespace sgl::tools {

const Zones& ZoneCache::Load(const std::vector<std::string>& names) {
  if (names_ != names) {
    zones_ = LoadZones(names);
    names_ = names;
  }
  return zones_;
}

const std::vector<std::string>& ZoneCache::Names() {
  if (all_.empty()) all_ = ZoneNames();
  return all_;
}

FileId Analysis::Find(absl::string_view name) const {
  for (int i = 0; i < sources.size(); ++i) {
    if (sources.name(static_cast<FileId>(i)) == name) {
      return static_cast<FileId>(i);
    }
  }
  return FileId::kNone;
}

std::unique_ptr<const Analysis> Analyse(std::vector<SourceFile> sources,
                                        ZoneCache& zones) {
  std::sort(sources.begin(), sources.end(),
            [](const SourceFile& left, const SourceFile& right) {
              return left.name < right.name;
            });
  auto analysis = std::make_unique<Analysis>();
  for (SourceFile& source : sources) {
    analysis->sources.Add(std::move(source.name), std::move(source.text));
  }
  for (int i = 0; i < analysis->sources.size(); ++i) {
    analysis->files.push_back(Parse(analysis->sources, static_cast<FileId>(i),
                                    analysis->diagnostics));
  }
  Check(analysis->sources, analysis->files,
        zones.Load(NamedZones(analysis->files)), analysis->diagnostics);
  return analysis;
}

bool Parses(const Analysis& analysis, FileId file) {
  Diagnostics diagnostics;
  Parse(analysis.sources, file, diagnostics);
  return diagnostics.error_count() == 0;
}

}  // namespace sgl::tools
