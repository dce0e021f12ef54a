#ifndef CONTACTS_SERVER_SERVER_METRICS_H_
#define CONTACTS_SERVER_SERVER_METRICS_H_

#include "core/engine/engine.h"
#include "core/mail/relay.h"
#include "server/auth/credentials.h"
#include "server/background.h"
#include "server/calls/health.h"
#include "server/calls/import_call.h"
#include "server/calls/unread_answers.h"
#include "server/calls/watch.h"
#include "server/calls/work_queue.h"
#include "server/ports.h"
#include "server/telemetry/metrics.h"

namespace contacts::server {

// The parts of a server whose counts are metrics.
struct MeasuredParts {
  Database* database;
  Engine* engine;
  MailRelay* relay;
  Credentials* credentials;
  WorkQueue* workers;
  const UnreadAnswers* unread;
  Watch* watch;
  ImportCalls* imports;
  Ports* ports;
  Health* health;
  Background* background;
};

// Adds the process's and the parts' metrics. The parts are read at each scrape, so they must
// outlive the last one. Call it once.
void AddServerMetrics(Metrics& metrics, const MeasuredParts& parts);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SERVER_METRICS_H_
