/** Tables of what the server refuses: many rows make one rule. Each row is tried on real servers (test/live/create-refusals). */
import type { Model } from "../../model/resolve.ts";
import type { Consumer, Stream, StreamOrigin } from "../../model/stream.ts";
import { atLeast, parseVersion } from "../../model/version.ts";
import { inConsumer, inOrigin, inStream } from "../place.ts";
import type { Finding, RuleRow } from "../rule.ts";

/** A row about one thing that a rule looks at: a stream, one of its origins, one of its consumers. */
export interface Row<Seen> extends RuleRow {
  /** The setting that the finding points at, relative to what is looked at. */
  readonly at: string;
  /** Whether it is so here; text says it with the values that are there. */
  when(seen: Seen): boolean | string;
}

/** A stream and the model that it belongs to. */
export interface SeenStream {
  readonly stream: Stream;
  readonly model: Model;
}
export interface SeenConsumer extends SeenStream {
  readonly consumer: Consumer;
}
export interface SeenOrigin extends SeenStream {
  readonly origin: StreamOrigin;
  readonly mirrors: boolean;
}

export function* checkStreams(rows: readonly Row<SeenStream>[], model: Model): Generator<Finding> {
  for (const stream of model.streams) {
    yield* findings(rows, model, { stream, model }, (at) => inStream(stream, at));
  }
}

export function* checkConsumers(rows: readonly Row<SeenConsumer>[], model: Model): Generator<Finding> {
  for (const stream of model.streams) {
    for (const consumer of stream.consumers) {
      yield* findings(rows, model, { stream, model, consumer }, (at) => inConsumer(stream, consumer, at));
    }
  }
}

export function* checkOrigins(rows: readonly Row<SeenOrigin>[], model: Model): Generator<Finding> {
  for (const stream of model.streams) {
    const mirrors = stream.mirror !== undefined;
    for (const origin of stream.mirror ? [stream.mirror] : stream.sources) {
      yield* findings(rows, model, { stream, model, origin, mirrors }, (at) => inOrigin(stream, origin, at));
    }
  }
}

function* findings<Seen>(
  rows: readonly Row<Seen>[],
  { environment }: Model,
  seen: Seen,
  place: (at: string) => string,
): Generator<Finding> {
  // A tag that names no version is another rule's finding (E020); until that is mended every row counts.
  const version = parseVersion(environment.images.nats.tag);
  for (const { at, what, why, errCode, since, when } of rows) {
    if (version && since && !atLeast(version, since)) continue;
    const found = when(seen);
    if (!found) continue;
    yield { place: place(at), says: `${found === true ? what : found}: ${why}`, ...(errCode ? { errCode } : {}) };
  }
}
