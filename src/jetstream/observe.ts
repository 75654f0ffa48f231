/** What is on the server now. A stream that cannot be asked is unknown: never taken for absent, never for empty. */
import type { AccountInfo, ConsumerInfo, Reader, ServerIdentity, StreamInfo } from "./api.ts";
import { consumerDetails, inParallel, streamDetails, streamNames } from "./pager.ts";

export type ObservedStream =
  | { readonly name: string; readonly status: "known"; readonly info: StreamInfo }
  | { readonly name: string; readonly status: "unknown"; readonly why: string };

export interface Observed {
  readonly server: ServerIdentity;
  readonly account: AccountInfo;
  readonly streams: readonly ObservedStream[];
  /** Consumers by stream, of the streams that were asked for and are known. */
  readonly consumers: ReadonlyMap<string, ObservedConsumers>;
}

export interface ObservedConsumers {
  readonly known: readonly ConsumerInfo[];
  /** Those that exist and cannot be asked. */
  readonly unknown: readonly { readonly name: string; readonly why: string }[];
}

/** Reads the account, all streams, and the consumers of `named` streams. */
export async function observe(reader: Reader, named: readonly string[]): Promise<Observed> {
  const [account, names, details] = await Promise.all([
    reader.read<AccountInfo>("INFO"),
    streamNames(reader),
    streamDetails(reader),
  ]);
  const streams = names.map((name) => classify(name, details, reader.server));
  const ours = new Set(named);
  const asked = streams.filter(({ name, status }) => status === "known" && ours.has(name));
  const consumers = await inParallel(asked, async ({ name }) => [name, await observeConsumers(name, reader)] as const);
  return { server: reader.server, account, streams, consumers: new Map(consumers) };
}

/** The consumers of one stream. */
export async function observeConsumers(stream: string, reader: Reader): Promise<ObservedConsumers> {
  const { known, missing } = await consumerDetails(reader, stream);
  const isLed = ({ cluster }: ConsumerInfo) => reader.server.cluster === undefined || Boolean(cluster?.leader);
  return {
    known: known.filter(isLed),
    unknown: [
      ...[...missing].map(([name, why]) => ({ name, why })),
      ...known.filter((info) => !isLed(info)).map(({ name }) => ({ name, why: "it has no leader" })),
    ],
  };
}

/**
 * A stream whose servers are gone is listed under `missing`, and when they said good-bye also as a row of zeros without a
 * leader: "0 messages" there means nothing.
 */
function classify(
  name: string,
  { known, missing }: Awaited<ReturnType<typeof streamDetails>>,
  server: ServerIdentity,
): ObservedStream {
  const info = known.get(name);
  const why = missing.get(name);
  if (why !== undefined) return { name, status: "unknown", why };
  if (!info) return { name, status: "unknown", why: "its servers do not answer" };
  if (server.cluster && !info.cluster?.leader) return { name, status: "unknown", why: "it has no leader" };
  return { name, status: "known", info };
}
