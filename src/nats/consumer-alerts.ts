/** Are the declared consumers there, and does somebody read? */
import { type Alert, type Severity, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { oneOf } from "./series.ts";
import { thresholdOf, tooShort } from "./stream-alerts.ts";
import { BEFORE_LOSS, rememberedDays, streamsTooShort } from "./thresholds.ts";

const LABELS = ["namespace", "stream_name", "consumer_name"] as const;
const SAME = `on (${LABELS.join(", ")})`;
const pending = "consumer:nats_consumer_num_pending";
const NAME = "{{ $labels.consumer_name }} on {{ $labels.stream_name }}";

export function consumerAlerts(model: Model): Alert[] {
  const { environment, streams } = model;
  if (streams.every(({ consumers }) => consumers.length === 0)) return [];
  const alert = withRunbooks(environment);
  const delivered = "consumer:nats_consumer_delivered_consumer_seq:max";
  const redelivered = "consumer:nats_consumer_num_redelivered";
  return [
    alert({
      name: "NatsConsumerWithoutLeader",
      expr: `${pending}:threshold unless ${SAME} ${pending}:leader`,
      for: "2m",
      severity: "critical",
      summary: `No server leads the consumer ${NAME}`,
      description:
        "Its service gets no message: the stream has no leader, or the consumer does not exist (not applied, or deleted).",
    }),
    ...backlogAlerts(model),
    alert({
      name: "NatsConsumerStuck",
      expr: `${pending}:leader > 0 and ${SAME} ${delivered} - (${delivered} offset 10m) == 0`,
      for: "5m",
      severity: "warning",
      summary: `{{ $value | humanize }} messages wait for ${NAME}, and none was delivered for ten minutes`,
      description: "Nobody asks for messages, or so many are unacknowledged that the server gives no more.",
    }),
    alert({
      name: "NatsConsumerRedelivering",
      // Without those that were given up: they count as redelivered until the stream drops them, and nobody is given them.
      expr: `${redelivered}:in_hand > ${SAME} ${redelivered}:threshold`,
      for: "5m",
      severity: "warning",
      summary: `${NAME} is given {{ $value | humanize }} messages again and again (alert above ${thresholdOf(redelivered, LABELS)})`,
      description:
        "The service fails on them or needs longer than ackWait, and then does the same work twice. After maxDeliver the server gives up on them.",
    }),
    ...gaveUpAlerts(model),
  ];
}

/** A backlog is a warning while nothing is lost yet. Where a stream keeps too little for that, it is critical, and says so. */
function backlogAlerts(model: Model): Alert[] {
  const late = streamsTooShort(model);
  const backlog = (matcher: string, severity: Severity, more: string) =>
    withRunbooks(model.environment)({
      name: "NatsConsumerBacklog",
      expr: `${pending}:leader${matcher} > ${SAME} ${pending}:threshold`,
      for: BEFORE_LOSS,
      severity,
      summary: `{{ $value | humanize }} messages wait for ${NAME} (alert above ${thresholdOf(pending, LABELS)})`,
      description: `The service is slower than what comes in, or away. The stream drops the oldest when it is full.${more}`,
    });
  if (late.length === 0) return [backlog("", "warning", "")];
  return [
    backlog(`{stream_name!~${oneOf(late)}}`, "warning", ""),
    backlog(`{stream_name=~${oneOf(late)}}`, "critical", tooShort(late)),
  ];
}

/** They stay until they are too old, since who deals with them can seldom delete them: more than there were before are new. */
function gaveUpAlerts(model: Model): Alert[] {
  const read = model.streams.filter(({ consumers }) => consumers.length > 0);
  const pasts = [...new Set(read.map((stream) => rememberedDays(stream, model)))].sort();
  return pasts.map((days) => {
    const those = read.filter((stream) => rememberedDays(stream, model) === days).map(({ name }) => name);
    const givenUp = `consumer:nats_consumer_given_up:least${pasts.length > 1 ? `{stream_name=~${oneOf(those)}}` : ""}`;
    return withRunbooks(model.environment)({
      name: "NatsConsumerGaveUp",
      expr: `max_over_time(${givenUp}[1d]) - (max_over_time(${givenUp}[${days}d] offset 1d) or 0 * ${givenUp}) > 0`,
      for: "5m",
      severity: "warning",
      summary: `The server gave up on {{ $value }} messages of ${NAME} within a day`,
      description:
        "They were delivered maxDeliver times and never acknowledged, and they are no dead letters, or the service would have ended " +
        "them: nobody gives them again, and nobody has handled them.",
    });
  });
}
