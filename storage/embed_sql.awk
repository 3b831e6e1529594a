# Turns SQL files into C++: for each, a constant with its text.
#
#   awk -v mode=queries    -f embed_sql.awk queries/*.sql    > queries.h
#   awk -v mode=effects    -f embed_sql.awk queries/effects/*.sql
#                                              > effect_statements.cc
#   awk -v mode=migrations -f embed_sql.awk migrations/*.sql > migrations.cc
#
# Queries and effects lose their comment lines: they are sent with every call.
# Migrations stay as they are: their hash is recorded.

function base_name(path) {
  sub(/.*\//, "", path)
  sub(/\.sql$/, "", path)
  return path
}

function constant_name(name,    parts, count, i, result) {
  count = split(name, parts, "_")
  result = "k"
  for (i = 1; i <= count; i++)
    result = result toupper(substr(parts[i], 1, 1)) substr(parts[i], 2)
  return result "Sql"
}

function close_file() {
  if (is_open) print mode == "queries" ? ")sql\";" : ")sql\"},"
}

BEGIN {
  print "// Generated from storage/" mode "/*.sql."
  if (mode == "queries") {
    print "#ifndef STORAGE_QUERIES_H_"
    print "#define STORAGE_QUERIES_H_"
    print "namespace sgl::storage {"
  } else if (mode == "effects") {
    print "#include \"storage/effect_statements.h\""
    print "namespace sgl::storage {"
    print "std::span<const EffectStatement> EffectStatements() {"
    print "  static constexpr EffectStatement kStatements[] = {"
  } else {
    print "#include \"storage/migrator.h\""
    print "namespace sgl::storage {"
    print "const std::vector<Migration>& BuiltInMigrations() {"
    print "  static const auto* const migrations = new std::vector<Migration>{"
  }
}

FNR == 1 {
  close_file()
  is_open = 1
  if (mode == "queries")
    print "inline constexpr char " constant_name(base_name(FILENAME)) \
          "[] = R\"sql("
  else if (mode == "effects")
    printf "{\"%s\", R\"sql(", toupper(base_name(FILENAME))
  else
    printf "{\"%s\", R\"sql(", base_name(FILENAME)
}

mode != "migrations" && /^ *--/ { next }
{ print }

END {
  close_file()
  if (mode == "queries") {
    print "}  // namespace sgl::storage"
    print "#endif  // STORAGE_QUERIES_H_"
  } else if (mode == "effects") {
    print "  };"
    print "  return kStatements;"
    print "}"
    print "}  // namespace sgl::storage"
  } else {
    print "  };"
    print "  return *migrations;"
    print "}"
    print "}  // namespace sgl::storage"
  }
}
