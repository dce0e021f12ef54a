#include "server/auth/caller_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace contacts::server {
namespace {

using ::testing::HasSubstr;

std::string WithCaller(const std::string& entry) {
  return absl::StrCat(R"({"callers": [)", entry, "]}");
}

TEST(PolicyTest, ReadsWhoMayDoWhat) {
  const auto policy = CallerPolicy::Parse(R"({"callers": [
      {"name": "shop", "uri": "spiffe://example.org/Shop", "may": ["front_end", "observer"]},
      {"name": "sync", "dns": "sync.example.org", "may": ["operator"]},
      {"name": "claire", "dns": "claire.example.org", "may": ["support"]},
      {"name": "prometheus", "dns": "p.example.org", "may": ["metrics_reader"]}]})");
  ASSERT_TRUE(policy.ok()) << policy.status();
  const PolicyEntry* shop = policy->Find({.uris = {"spiffe://example.org/Shop"}});
  ASSERT_NE(shop, nullptr);
  EXPECT_EQ(shop->name, "shop");
  EXPECT_TRUE(shop->is_front_end && shop->is_observer && !shop->is_operator);
  const PolicyEntry* sync = policy->Find({.dns = {"SYNC.example.org"}});
  ASSERT_NE(sync, nullptr);
  EXPECT_TRUE(!sync->is_front_end && !sync->is_observer && sync->is_operator);
  EXPECT_FALSE(sync->is_metrics_reader || sync->is_support);
  const PolicyEntry* claire = policy->Find({.dns = {"claire.example.org"}});
  ASSERT_NE(claire, nullptr);
  EXPECT_TRUE(claire->is_support);
  EXPECT_FALSE(claire->is_front_end || claire->is_observer || claire->is_operator);
  const PolicyEntry* prometheus = policy->Find({.dns = {"p.example.org"}});
  ASSERT_NE(prometheus, nullptr);
  EXPECT_TRUE(prometheus->is_metrics_reader);
  EXPECT_FALSE(prometheus->is_front_end || prometheus->is_observer || prometheus->is_operator);
}

TEST(PolicyTest, KnowsACallerByTheWholeNameAlone) {
  const auto policy = CallerPolicy::Parse(R"({"callers": [
      {"name": "shop", "uri": "spiffe://example.org/shop", "may": ["front_end"]},
      {"name": "sync", "dns": "sync.example.org", "may": ["operator"]}]})");
  ASSERT_TRUE(policy.ok());
  const PeerNames rows[] = {
      {},
      {.uris = {""}, .dns = {""}},
      {.uris = {"spiffe://example.org/shop/"}},
      {.uris = {"spiffe://example.org/SHOP"}},
      {.uris = {"spiffe://example.org/sho"}},
      {.uris = {"sync.example.org"}},
      {.uris = {std::string("spiffe://example.org/shop\0", 26)}},
      {.dns = {"spiffe://example.org/shop"}},
      {.dns = {"a.sync.example.org"}},
      {.dns = {"*.example.org"}},
      {.dns = {"sync.example.org."}},
      {.uris = {"spiffe://example.org/shop"}, .dns = {"sync.example.org"}},
  };
  for (const PeerNames& names : rows) EXPECT_EQ(policy->Find(names), nullptr);
  EXPECT_EQ(CallerPolicy().Find({.dns = {"sync.example.org"}}), nullptr);
}

TEST(PolicyTest, RefusesWhatIsNotClear) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "want a JSON object"},
      {"[]", "want a JSON object"},
      {"{}", "want a JSON object"},
      {R"({"callers": {}})", "want a JSON object"},
      {R"({"callers": [], "callers": []})", "want a JSON object"},
      {R"({"callers": [], "default": "operator"})", "want a JSON object"},
      {WithCaller("1"), "callers[0]: want an object"},
      {WithCaller(R"({"name": "a", "uri": "b:c"})"), "callers[0]: want name and may"},
      {WithCaller(R"({"uri": "b:c", "may": ["operator"]})"), "callers[0]: want name and may"},
      {WithCaller(R"({"name": "a", "may": ["operator"]})"), "want one of uri and dns"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "dns": "d", "may": ["operator"]})"),
       "want one of uri and dns"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "may": ["operator"], "ip": "::1"})"), "\"ip\""},
      {WithCaller(R"({"name": "", "uri": "b:c", "may": ["operator"]})"), "callers[0].name"},
      {WithCaller(R"({"name": "A", "uri": "b:c", "may": ["operator"]})"), "callers[0].name"},
      {WithCaller(R"({"name": 1, "uri": "b:c", "may": ["operator"]})"), "want a text"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "may": []})"), "callers[0].may"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "may": "operator"})"), "callers[0].may"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "may": ["root"]})"), "\"root\"; want front_end"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "may": ["operator", "operator"]})"), "twice"},
      {WithCaller(R"({"name": "a", "uri": "", "may": ["operator"]})"), "callers[0].uri"},
      {WithCaller(R"({"name": "a", "uri": "spiffe://*/x", "may": ["operator"]})"),
       "callers[0].uri"},
      {WithCaller(R"({"name": "a", "uri": "nothing", "may": ["operator"]})"), "callers[0].uri"},
      {WithCaller(R"({"name": "a", "dns": "*.example.org", "may": ["operator"]})"),
       "callers[0].dns"},
      {WithCaller(R"({"name": "a", "dns": "Example.org", "may": ["operator"]})"), "callers[0].dns"},
      {WithCaller(R"({"name": "a", "dns": "example.org.", "may": ["operator"]})"),
       "callers[0].dns"},
      {WithCaller(R"({"name": "a", "uri": "b:c", "may": ["operator"]},
                     {"name": "b", "uri": "b:c", "may": ["observer"]})"),
       "callers[1]: its uri or dns is that of an earlier caller"},
  };
  for (const auto& [text, expected] : rows) {
    const auto policy = CallerPolicy::Parse(text);
    ASSERT_FALSE(policy.ok()) << text;
    EXPECT_THAT(policy.status().message(), HasSubstr(expected)) << text;
  }
  EXPECT_TRUE(CallerPolicy::Parse(R"({"callers": []})").ok());
}

}  // namespace
}  // namespace contacts::server
