/** Are the declared streams there, led, replicated, fed and copied? */
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { namesOfOrigins, originsOf } from "../model/traffic.ts";
import { ofStreams, oneOf } from "./series.ts";
import { STANDSTILL } from "./stream-recordings.ts";
import {
  BEFORE_LOSS,
  deadLettersLimit,
  originsTooShort,
  publishRateLimit,
  REACTION,
  standstillOf,
} from "./thresholds.ts";

/** The threshold that a series is compared with, inside an annotation. */
export const thresholdOf = (record: string, labels: readonly string[]): string => {
  const matchers = labels.map((label) => `${label}='%s'`).join(",");
  const values = labels.map((label) => `$labels.${label}`).join(" ");
  return `{{ with printf "${record}:threshold{${matchers}}" ${values} | query }}{{ . | first | value | humanize }}{{ end }}`;
};

export function streamAlerts(model: Model): Alert[] {
  const { environment, streams } = model;
  if (streams.length === 0) return [];
  const alert = withRunbooks(environment);
  const here = ofStreams(environment);
  const same = "on (namespace, stream_name)";
  const lastSeq = `nats_stream_last_seq{${here}}`;
  const ofStream = ["namespace", "stream_name"];
  const withoutLeader = alert({
    name: "NatsStreamWithoutLeader",
    expr: `stream:nats_stream_replicas:declared unless ${same} stream:nats_stream_total_messages:leader`,
    for: "2m",
    severity: "critical",
    summary: "No server leads the stream {{ $labels.stream_name }}",
    description:
      "It takes and gives no message: most of its servers are away, or it does not exist (not applied, or deleted).",
  });
  const replicasMissing = alert({
    name: "NatsStreamReplicasMissing",
    expr: `count by (namespace, stream_name) (nats_stream_total_messages{${here}}) < ${same} stream:nats_stream_replicas:declared`,
    for: "10m",
    severity: "warning",
    summary: "{{ $labels.stream_name }} lies on {{ $value }} servers only",
    description: "Fewer than declared: a server is away, or somebody lowered its replicas.",
  });
  const replicaLagging = alert({
    name: "NatsStreamReplicaLagging",
    // Servers are scraped up to 30 s apart, thousands of messages: so a replica is held to where the stream was before.
    expr: `max by (namespace, stream_name) (${lastSeq} offset 2m) - min by (namespace, stream_name) (${lastSeq}) > 0`,
    for: "5m",
    severity: "warning",
    summary: "A replica of {{ $labels.stream_name }} lacks {{ $value | humanize }} messages that are two minutes old",
    description: "If the others are lost now, these are lost too. A slow disk or network; or it is still catching up.",
  });
  const deadLetters = alert({
    name: "NatsDeadLetters",
    expr: `stream:nats_stream_total_messages:leader > ${same} stream:nats_stream_total_messages:threshold`,
    for: "1m",
    severity: "warning",
    summary: `{{ $labels.stream_name }} holds {{ $value }} messages that nobody could handle (alert above ${thresholdOf("stream:nats_stream_total_messages", ofStream)})`,
    description: "Consumers gave up on them. They stay until somebody deals with them, or they grow too old.",
  });
  const publishRateExceeded = alert({
    name: "NatsPublishRateExceeded",
    expr: `stream:nats_stream_last_seq:rate10m > ${same} stream:nats_stream_last_seq:threshold`,
    for: "10m",
    severity: "warning",
    summary: `{{ $labels.stream_name }} takes {{ $value | humanize }} messages a second, declared are ${thresholdOf("stream:nats_stream_last_seq", ofStream)}`,
    description: "Messages live shorter than was reckoned, and other subjects of the stream give way to the loud one.",
  });
  return [
    withoutLeader,
    ...fullnessAlerts(model),
    ...(streams.some(({ replicas }) => replicas > 1) ? [replicasMissing, replicaLagging] : []),
    ...(streams.some((stream) => deadLettersLimit(stream) !== undefined) ? [deadLetters] : []),
    ...(streams.some((stream) => publishRateLimit(stream, model) !== undefined) ? [publishRateExceeded] : []),
    ...(streams.some((stream) => namesOfOrigins(stream).length > 0) ? sourceAlerts(model) : []),
  ];
}

/** Streams that let their oldest messages go are full most of the time; those that refuse new ones must not be. */
export const refusingStreams = ({ streams }: Model): readonly string[] =>
  streams.filter(({ discard }) => discard === "new").map(({ name }) => name);

/** Share of its limit above which such a stream calls. */
export const NEARLY_FULL = 0.9;

function fullnessAlerts(model: Model): Alert[] {
  const { environment } = model;
  const refusing = refusingStreams(model);
  if (refusing.length === 0) return [];
  const lead = `${ofStreams(environment)},is_stream_leader="true",stream_name=~${oneOf(refusing)}`;
  const share = (of: "bytes" | "messages") =>
    `nats_stream_total_${of}{${lead}} / (nats_stream_limit_${of}{${lead}} > 0) > ${NEARLY_FULL}`;
  return [
    withRunbooks(environment)({
      name: "NatsStreamNearlyFull",
      expr: `max by (namespace, stream_name) (${share("bytes")} or ${share("messages")})`,
      for: "5m",
      severity: "warning",
      summary: "{{ $labels.stream_name }} is {{ $value | humanizePercentage }} full",
      description:
        "It does not let old messages go: when it is full, publishers are refused (10077), and so are writers of a bucket.",
    }),
  ];
}

/** What people have to know where an alert cannot come in time. */
export const tooShort = (names: readonly string[]): string =>
  names.length === 0
    ? ""
    : ` At declared peak ${names.join(", ")} drops messages before this fires (${REACTION} s after its limit): some are already lost.`;

function sourceAlerts(model: Model): Alert[] {
  const alert = withRunbooks(model.environment);
  const late = tooShort(originsTooShort(model));
  const silence = "source:nats_stream_source_active_duration_ns";
  const lagging = alert({
    name: "NatsSourceLagging",
    expr: "source:nats_stream_source_lag:leader > on (namespace, stream_name, source_name) source:nats_stream_source_lag:threshold",
    for: BEFORE_LOSS,
    severity: "critical",
    summary: `{{ $labels.stream_name }} is {{ $value | humanize }} messages behind {{ $labels.source_name }} (alert above ${thresholdOf("source:nats_stream_source_lag", ["namespace", "stream_name", "source_name"])})`,
    description: `Copying is slower than publishing. What the origin drops before it is copied is lost to the copy.${late}`,
  });
  return [
    alert({
      name: "NatsSourceStalled",
      // Origins send a heartbeat every second (stream.go, sourceHealthHB). A copy without one keeps its last lag, so the silence
      // alone tells; -1 is a source that was never heard of.
      expr: `${silence}:leader / 1e9 > on (namespace, stream_name, source_name) ${silence}:threshold / 1e9 or ${silence}:leader < 0`,
      for: BEFORE_LOSS,
      severity: "critical",
      summary:
        "{{ $labels.stream_name }} {{ if lt $value 0.0 }}never heard{{ else }}has heard nothing for {{ $value | humanizeDuration }}{{ end }} of {{ $labels.source_name }}",
      description:
        "Nothing is copied. What the origin drops meanwhile never arrives. The origin has no leader, was deleted, or the copy cannot reach it." +
        late,
    }),
    ...standstillAlerts(model),
    // What an origin of another account takes, nobody here knows.
    ...(model.streams.some((stream) => originsOf(stream).length > 0) ? [lagging] : []),
  ];
}

/**
 * A copy whose next message does not fit asks for it again every two seconds, and is answered: it is never silent, and says that it lags
 * by nothing (2.14.9, seen). That its origin moves and it does not is all there is to see. Where it takes only a part of what comes,
 * nobody may have published that part: no reason to get somebody up.
 */
function standstillAlerts(model: Model): Alert[] {
  const alert = withRunbooks(model.environment);
  const copied = "stream:nats_stream_last_seq:max";
  const above = (threshold: string) =>
    `source:nats_stream_last_seq:delta10m > on (namespace, stream_name, source_name) ${threshold} and on (namespace, stream_name) ${copied} - (${copied} offset 10m) == 0`;
  const summary =
    "{{ $labels.stream_name }} has copied nothing for ten minutes, in which {{ $labels.source_name }} took {{ $value | humanize }} messages";
  const kinds = model.streams.flatMap((stream) =>
    originsOf(stream).flatMap(({ name }) => standstillOf(stream, name, model)?.certain ?? []),
  );
  const stuck = alert({
    name: "NatsSourceStuck",
    expr: above(STANDSTILL.certain),
    for: "1m",
    severity: "critical",
    summary,
    description:
      "It takes all that its origin takes, so the next message does not fit, most often into its max_msg_size: nothing behind it is " +
      "copied, and what the origin drops meanwhile never arrives.",
  });
  const idle = alert({
    name: "NatsSourceIdle",
    expr: above(STANDSTILL.likely),
    for: "1m",
    severity: "warning",
    summary,
    description:
      "It takes only a part of that: nobody publishes this part, or the next message does not fit, most often into its max_msg_size. " +
      "Then nothing behind it is copied, and what the origin drops meanwhile never arrives.",
  });
  return [...(kinds.includes(true) ? [stuck] : []), ...(kinds.includes(false) ? [idle] : [])];
}
