/** Limits, replicas and sizes against what the cluster has. */
import { newerFields } from "../../model/field-versions.ts";
import type { Model } from "../../model/resolve.ts";
import type { Stream } from "../../model/stream.ts";
import { effectiveRetention, flowsInto } from "../../model/traffic.ts";
import { atLeast, parseVersion } from "../../model/version.ts";
import { fileStore, RESERVABLE, reservedPerServer } from "../../nats/budget.ts";
import { byteSizeAbove, formatBytes, formatDuration, formatRate, SECOND } from "../../units.ts";
import { inConsumer, inEnvironment, inStream } from "../place.ts";
import type { Rule } from "../rule.ts";
import { COPY_MARGIN } from "./sources.ts";

const unbounded: Rule<Model> = {
  code: "S030",
  severity: "error",
  title: "A stream without a size",
  reason:
    "A stream that may grow without bounds ends when the disk is full, and a full disk switches JetStream off on that server: every " +
    "stream pays for one (jetstream.go, nats-server#5382).",
  hint: "Set maxBytes.",
  *check({ streams }) {
    for (const stream of streams) {
      if (stream.maxBytes <= 0) yield { place: inStream(stream, "maxBytes"), says: "is not set" };
    }
  },
};

const fileStoreFull: Rule<Model> = {
  code: "S031",
  severity: "error",
  title: "Streams that do not fit the file store",
  reason:
    "The server reserves max_bytes of every stream when it is created and refuses the one that does not fit (10047). A tenth of the " +
    "store stays free for what is not declared, a stream beside the one it replaces: above that NatsStorageReserved calls.",
  hint: "Raise nats.volume.size (the store gets 80 % of it) or lower maxBytes.",
  *check(model) {
    const reserved = reservedPerServer(model, "file");
    const store = fileStore(model);
    const reservable = Math.floor(RESERVABLE * store);
    if (reserved <= reservable) return;
    const largest = model.streams
      .filter(({ storage }) => storage === "file")
      .toSorted((a, b) => b.maxBytes - a.maxBytes)
      .slice(0, 3)
      .map(({ name, maxBytes }) => `${name} ${formatBytes(maxBytes)}`);
    yield {
      place: inEnvironment(model, "nats.volume.size"),
      says: `gives a file store of ${formatBytes(store)}, of which streams may reserve ${formatBytes(reservable)}, but they reserve ${formatBytes(reserved)} on one server (${largest.join(", ")})`,
    };
  },
};

const tooManyReplicas: Rule<Model> = {
  code: "S032",
  severity: "error",
  title: "More replicas than servers",
  reason:
    "The server refuses the stream: no suitable peers for placement (10005), or none but itself (10074), and 5 is the most there can be (10052). " +
    "A consumer cannot be where its stream is not (10126).",
  hint: "Lower replicas for this environment in the stream's `in`, or raise nats.servers.",
  *check({ streams, environment: { nats } }) {
    for (const stream of streams) {
      if (stream.replicas > Math.min(nats.servers, 5)) {
        yield {
          place: inStream(stream, "replicas"),
          says: `is ${stream.replicas} on ${nats.servers} ${nats.servers === 1 ? "server" : "servers"}`,
          errCode: stream.replicas > 5 ? 10052 : nats.servers === 1 ? 10074 : 10005,
        };
      }
      for (const consumer of stream.consumers) {
        const { replicas = 0 } = consumer;
        if (replicas > stream.replicas) {
          yield {
            place: inConsumer(stream, consumer, "replicas"),
            says: `is ${replicas}, but the stream has ${stream.replicas}`,
            errCode: nats.servers === 1 ? 10074 : 10126,
          };
        }
      }
    }
  },
};

const evenReplicas: Rule<Model> = {
  code: "S033",
  severity: "warning",
  title: "An even number of replicas",
  reason:
    "Two replicas need both for a majority: they lose service more often than one and no fewer messages than three keep.",
  hint: "Use 1, 3 or 5.",
  *check({ streams }) {
    for (const stream of streams) {
      if (stream.replicas % 2 === 0) yield { place: inStream(stream, "replicas"), says: `is ${stream.replicas}` };
    }
  },
};

const shortLife: Rule<Model> = {
  code: "S034",
  severity: "warning",
  title: "Messages that do not live as long as maxAge says",
  reason: "The first limit that is reached ends a message's life; at declared peak rates that is not the age.",
  hint: "Raise the limits to the figures named, or state the age that is meant.",
  *check(model) {
    for (const stream of model.streams) {
      const flows = flowsInto(stream, model);
      const { lives, endedBy } = effectiveRetention(stream, flows);
      if (endedBy !== "maxMsgs" && endedBy !== "maxBytes") continue;
      const messages = flows.reduce((sum, { rate }) => sum + rate, 0);
      const volume = flows.reduce((sum, { rate, messageBytes }) => sum + rate * messageBytes, 0);
      const seconds = stream.maxAge / SECOND;
      const wanted =
        stream.maxAge > 0
          ? `, not ${formatDuration(stream.maxAge)}: that takes maxMsgs: ${thousands(messages * seconds)}, maxBytes: "${byteSizeAbove(volume * seconds)}"`
          : "";
      yield {
        place: inStream(stream, endedBy),
        says: `at ${formatRate(messages)} a message lives ${formatDuration(lives)}${wanted}`,
      };
    }
  },
};

const longWindow: Rule<Model> = {
  code: "S035",
  severity: "error",
  title: "A duplicate window longer than the messages live",
  reason: "The server refuses it (10052, duplicates window can not be larger then max age).",
  hint: "Lower duplicateWindow to maxAge or below.",
  *check({ streams }) {
    for (const stream of streams) {
      const { duplicateWindow, maxAge } = stream;
      if (duplicateWindow !== undefined && maxAge > 0 && duplicateWindow > maxAge) {
        yield {
          place: inStream(stream, "duplicateWindow"),
          says: `is ${formatDuration(duplicateWindow)} with maxAge ${formatDuration(maxAge)}`,
          errCode: 10052,
        };
      }
    }
  },
};

const largeMessage: Rule<Model> = {
  code: "S036",
  severity: "error",
  title: "Messages larger than the server takes",
  reason:
    "The server closes the connection of whoever sends more than max_payload, before any stream sees the message.",
  hint: "Lower maxMsgSize, or raise nats.maxPayload (8MiB at most).",
  *check({ streams, environment: { nats } }) {
    for (const stream of streams) {
      if (stream.maxMsgSize > nats.maxPayload) {
        yield {
          place: inStream(stream, "maxMsgSize"),
          says: `is ${formatBytes(stream.maxMsgSize)}, but nats.maxPayload is ${formatBytes(nats.maxPayload)}`,
        };
      }
    }
  },
};

const largeDeadLetter: Rule<Model> = {
  code: "S037",
  severity: "error",
  title: "Dead letters that their stream does not take",
  reason:
    "A dead letter is the original and why it failed: with equal limits exactly the largest messages, the likeliest to fail, are lost.",
  hint: "Set maxMsgSize of every stream that dead-letters here, and let this one's exceed them by 64KiB.",
  *check({ streams, environment: { nats } }) {
    const byName = new Map(streams.map((stream) => [stream.name, stream]));
    for (const taker of streams) {
      const origins = new Set(taker.publishers.flatMap(({ deadLettersOf }) => deadLettersOf ?? []));
      for (const origin of [...origins].flatMap((name) => byName.get(name) ?? [])) {
        const largest = origin.maxMsgSize < 0 ? nats.maxPayload : origin.maxMsgSize;
        const takes = taker.maxMsgSize < 0 ? nats.maxPayload : taker.maxMsgSize;
        if (takes < largest + COPY_MARGIN) {
          yield {
            place: inStream(taker, "maxMsgSize"),
            says: `takes ${formatBytes(takes)}, but ${origin.name} dead-letters up to ${formatBytes(largest)}`,
          };
        }
      }
    }
  },
};

const unknownField: Rule<Model> = {
  code: "S038",
  severity: "error",
  title: "A stream field that this NATS version does not know",
  reason: "Servers since 2.12 refuse the stream (10025, unknown field); older ones drop the field and answer OK.",
  hint: "Leave the field out or use a newer server.",
  *check({ streams, environment }) {
    const { tag } = environment.images.nats;
    const version = parseVersion(tag);
    if (!version) return;
    const errCode = atLeast(version, "2.12") ? { errCode: 10025 } : {};
    for (const stream of streams) {
      for (const { field, since } of newerFields("stream", (name) => stream[name as keyof Stream], version)) {
        yield { place: inStream(stream, field), says: `exists since ${since}, but the server is ${tag}`, ...errCode };
      }
    }
  },
};

const thousands = (amount: number): string => String(Math.ceil(amount)).replace(/\B(?=(\d{3})+$)/g, "_");

export const capacityRules = [
  unbounded,
  fileStoreFull,
  tooManyReplicas,
  evenReplicas,
  shortLife,
  longWindow,
  largeMessage,
  largeDeadLetter,
  unknownField,
];
