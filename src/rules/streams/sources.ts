/** Streams that copy from streams: the traps of sourcing. */
import type { Model } from "../../model/resolve.ts";
import type { Stream } from "../../model/stream.ts";
import { effectiveRetention, flowsInto, namesOfOrigins, originsOf } from "../../model/traffic.ts";
import { atLeast, parseVersion } from "../../model/version.ts";
import { SHORTEST_SILENCE } from "../../nats/thresholds.ts";
import { formatBytes, formatDuration, formatRate, KiB, SECOND } from "../../units.ts";
import { inOrigin, inStream } from "../place.ts";
import type { Rule } from "../rule.ts";

/** Every declared pair of a stream and one it copies from. */
function* copies({ streams }: Model): Generator<{ sink: Stream; origin: Stream; place: string }> {
  for (const sink of streams) {
    for (const copied of originsOf(sink)) {
      const origin = streams.find(({ name }) => name === copied.name);
      if (origin) yield { sink, origin, place: inOrigin(sink, copied) };
    }
  }
}

const unknownOrigin: Rule<Model> = {
  code: "S020",
  severity: "error",
  title: "An origin that is not declared",
  reason:
    "The server takes the sink and tries for ever: a misspelt origin is an empty stream, not an error (nats-server#1942).",
  hint: "Name a stream of streams/, or say external.api for one of another account.",
  *check({ streams }) {
    for (const sink of streams) {
      for (const origin of originsOf(sink)) {
        if (streams.some(({ name }) => name === origin.name)) continue;
        yield { place: inOrigin(sink, origin, "name"), says: `"${origin.name}" is no stream` };
      }
    }
  },
};

const cycle: Rule<Model> = {
  code: "S021",
  severity: "error",
  title: "Streams that copy from each other",
  reason:
    "The server refuses the last stream of the circle (10052, detected cycle); where it cannot see it, messages multiply without end.",
  hint: "Break the circle: one of them must be the origin.",
  *check({ streams }) {
    const byName = new Map(streams.map((stream) => [stream.name, stream]));
    for (const start of streams) {
      const reach = new Set<string>();
      const open = originsOf(start).map(({ name }) => name);
      for (let name = open.pop(); name !== undefined; name = open.pop()) {
        if (reach.has(name)) continue;
        reach.add(name);
        const next = byName.get(name);
        if (next) open.push(...originsOf(next).map((origin) => origin.name));
      }
      if (!reach.has(start.name)) continue;
      // The server looks at filters as well, and then does not see every circle.
      const whole = originsOf(start).every(({ filterSubject }) => filterSubject === undefined);
      const place = inStream(start, start.mirror ? "mirror" : "sources");
      yield { place, says: "leads back to the stream itself", ...(whole ? { errCode: 10052 } : {}) };
    }
  },
};

const consumedOrigin: Rule<Model> = {
  code: "S022",
  severity: "error",
  title: "An origin that does not keep what is copied",
  reason:
    "A work queue or interest stream deletes a message once its own consumers have it, whether or not it was copied.",
  hint: 'Give the origin retention "limits".',
  *check(model) {
    for (const { origin, place } of copies(model)) {
      if (origin.retention !== "limits") yield { place, says: `${origin.name} has retention "${origin.retention}"` };
    }
  },
};

/** Room for what the server adds to a copied message: the header that names its origin. */
export const COPY_MARGIN = 64 * KiB;

const smallSink: Rule<Model> = {
  code: "S023",
  severity: "error",
  title: "A sink that cannot take its origin's largest message",
  reason:
    "Copying adds a header. With equal limits a single full message never fits and the copy stops there for ever, with no error at " +
    "the publisher (seen on 2.9.10 and 2.15.1); the server refuses only a smaller limit (10046, 10030).",
  hint: "Let the sink's maxMsgSize exceed the origin's by 64KiB.",
  *check(model) {
    for (const { sink, origin } of copies(model)) {
      const largest = origin.maxMsgSize < 0 ? model.environment.nats.maxPayload : origin.maxMsgSize;
      if (sink.maxMsgSize >= 0 && sink.maxMsgSize < largest + COPY_MARGIN) {
        yield {
          place: inStream(sink, "maxMsgSize"),
          says: `is ${formatBytes(sink.maxMsgSize)}, but ${origin.name} holds messages up to ${formatBytes(largest)}`,
          ...(sink.maxMsgSize < origin.maxMsgSize ? { errCode: sink.mirror ? 10030 : 10046 } : {}),
        };
      }
    }
  },
};

const sinkWindow: Rule<Model> = {
  code: "S024",
  severity: "error",
  title: "A duplicate window on a copy",
  reason:
    "The origin rightly stores one Nats-Msg-Id twice once its window is over; a sink that catches up sees both at once and silently " +
    "drops the second (seen on 2.15.1).",
  hint: "Leave duplicateWindow out: the origin has done the work.",
  *check({ streams }) {
    for (const sink of streams) {
      if (sink.sources.length > 0 && sink.duplicateWindow !== undefined) {
        yield { place: inStream(sink, "duplicateWindow"), says: `is ${formatDuration(sink.duplicateWindow)}` };
      }
    }
  },
};

const impliedWindow: Rule<Model> = {
  code: "S025",
  severity: "warning",
  title: "A duplicate window on a copy that the server adds",
  reason:
    "Below 2.14 a stream with sources gets a window of two minutes even if none is asked for, and may drop messages while catching up.",
  hint: "Use nats-server 2.14 or newer.",
  *check({ streams, environment }) {
    const version = parseVersion(environment.images.nats.tag);
    if (!version || atLeast(version, "2.14")) return;
    for (const sink of streams.filter(({ sources }) => sources.length > 0)) {
      yield { place: inStream(sink, "sources"), says: `run on ${environment.images.nats.tag}` };
    }
  },
};

const louderSource: Rule<Model> = {
  code: "S026",
  severity: "warning",
  title: "A loud subject drives out quiet ones",
  reason: "Limits hold for the stream as a whole: when they are reached the oldest message goes, whoever sent it.",
  hint: "Move the loud subject into a stream of its own, or raise the limit that is reached.",
  *check(model) {
    for (const stream of model.streams) {
      const flows = flowsInto(stream, model).toSorted((a, b) => b.rate - a.rate);
      const { lives, endedBy } = effectiveRetention(stream, flows);
      const [loud] = flows;
      const quiet = flows.filter((flow) => loud && flow.rate * 10 <= loud.rate);
      if (!loud || quiet.length === 0 || endedBy === "maxAge" || stream.discard !== "old") continue;
      yield {
        place: inStream(stream, "publishers"),
        says: `${loud.subject} at ${formatRate(loud.rate)} leaves ${quiet.map(({ subject }) => subject).join(", ")} ${formatDuration(lives)}`,
      };
    }
  },
};

/** A stalled copy must be noticed and mended before the origin has dropped what is missing. */
const PATIENCE = 3_600 * SECOND;

const shortOrigin: Rule<Model> = {
  code: "S027",
  severity: "warning",
  title: "An origin that forgets before a stalled copy is mended",
  reason:
    "A copy lags, and it can stall (an origin without leader, a message that does not fit). What the origin drops in that time never " +
    "reaches the sink.",
  hint: "Raise the origin's maxMsgs and maxBytes, and watch the lag of the source.",
  *check(model) {
    for (const { origin, place } of copies(model)) {
      const { lives } = effectiveRetention(origin, flowsInto(origin, model));
      if (lives < PATIENCE) {
        yield { place, says: `${origin.name} keeps a message for ${formatDuration(lives)} at declared rates` };
      }
    }
  },
};

const lagOfNothing: Rule<Model> = {
  code: "S029",
  severity: "error",
  title: "A limit for the copying of a stream that copies nothing",
  reason:
    "No rule of Prometheus reads it: whoever set it believes that somebody is called, and nobody ever is. Most often it belongs to " +
    "the stream that copies, or to a source that was removed.",
  hint: "Move it to the stream with the sources, or take it away.",
  *check({ streams }) {
    for (const stream of streams) {
      const { sourceLag, sourceSilence } = stream.alerts ?? {};
      const isCopy = namesOfOrigins(stream).length > 0;
      if (sourceLag !== undefined && originsOf(stream).length === 0) {
        const why = isCopy
          ? "all its origins are of other accounts: what they take, nobody here knows"
          : "the stream has no sources and no mirror";
        yield { place: inStream(stream, "alerts.sourceLag"), says: `is ${sourceLag}, but ${why}` };
      }
      if (sourceSilence !== undefined && !isCopy) {
        const says = `is ${formatDuration(sourceSilence)}, but the stream has no sources and no mirror`;
        yield { place: inStream(stream, "alerts.sourceSilence"), says };
      }
    }
  },
};

const shortSilence: Rule<Model> = {
  code: "S075",
  severity: "error",
  title: "A silence of origins that calls while all is well",
  reason:
    "Origins send a heartbeat every second, and a change of leader takes several: a limit below that gets somebody up for nothing, and " +
    "an alert that does so often is soon heard by nobody.",
  hint: "Let it be 10s at least, or leave it out: it then follows from what the origin keeps.",
  *check({ streams }) {
    for (const stream of streams) {
      const { sourceSilence } = stream.alerts ?? {};
      if (sourceSilence === undefined || sourceSilence >= SHORTEST_SILENCE * SECOND) continue;
      const says = `is ${formatDuration(sourceSilence)}, less than ${SHORTEST_SILENCE}s`;
      yield { place: inStream(stream, "alerts.sourceSilence"), says };
    }
  },
};

export const sourceRules = [
  unknownOrigin,
  cycle,
  consumedOrigin,
  smallSink,
  sinkWindow,
  impliedWindow,
  louderSource,
  shortOrigin,
  lagOfNothing,
  shortSilence,
];
