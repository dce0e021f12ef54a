#ifndef CONTACTS_TESTS_TESTING_CLUSTER_H_
#define CONTACTS_TESTS_TESTING_CLUSTER_H_

#include <string>

#include "absl/time/time.h"
#include "tests/testing/server_process.h"

namespace contacts::testing {

// Three private database servers of deploy/local-cluster.sh: Group Replication, or Galera if
// CONTACTS_ENGINE is mariadb. They end with this object or its process.
class Cluster {
 public:
  static constexpr int kMembers = 3;

  Cluster();
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  bool galera() const { return galera_; }
  // The URI of all three members, which are numbered from 1 in this order.
  const std::string& uri() const { return uri_; }

  // Runs a command of the script and returns what it prints.
  std::string Run(const std::string& command, int member = 0) const;
  std::string Sql(int member, const std::string& statements) const;
  // Kills a connection of a member. Returns false if it had ended.
  bool Kill(int member, const std::string& connection) const;

  // The member that the majority reports as primary. On Galera, the member with the most sessions
  // of servers. 0 if there is no such member.
  int Primary() const;
  // Whether the members other than `member` go on without it: they have another primary, or on
  // Galera are a cluster of two that takes writes.
  bool HasLeft(int member) const;
  // Undoes what cut, silence, isolate and freeze did.
  void EndFaults() const;
  // Also starts members that are down, and waits until all three are in the cluster.
  void MakeWhole() const;

 private:
  // Returns what pclose(3) does.
  int Execute(const std::string& command, int member, std::string* output) const;

  bool galera_;
  TemporaryDirectory directory_;
  std::string uri_;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_CLUSTER_H_
