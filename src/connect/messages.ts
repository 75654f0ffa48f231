/** Reads messages out of streams by direct gets in batches (ADR-31, nats-server 2.11). */
import { ErrorCode, type Msg, type NatsConnection, NatsError, RequestStrategy } from "nats";
import { ApiError, ConnectionFailure, type MessageRange, type StoredMessage } from "../jetstream/api.ts";
import { explainFailure } from "./failure.ts";

/** Messages of one request; the server sends fewer where they are large. */
const BATCH = 500;

/** See MessageReader. @param timeout milliseconds for each batch */
export async function* storedMessages(
  connection: NatsConnection,
  { stream, subject, since }: MessageRange,
  timeout: number,
): AsyncGenerator<StoredMessage> {
  const target = `$JS.API.DIRECT.GET.${stream}`;
  const filter = { next_by_subj: subject };
  // One message by itself: a refusal of the request is an error here, and would be mere silence in a batch.
  const from = since === undefined ? { seq: 1 } : { start_time: new Date(since).toISOString() };
  const reply = await connection
    .request(target, JSON.stringify({ ...from, ...filter }), { timeout })
    .catch((error: unknown) => {
      throw notReadable(error, stream, connection.getServer());
    });
  const first = stored(reply, target);
  if (!first) return;
  yield first;
  for (let next = first.seq + 1; ; ) {
    const request = JSON.stringify({ seq: next, batch: BATCH, ...filter });
    const replies = await connection.requestMany(target, request, {
      strategy: RequestStrategy.SentinelMsg,
      maxWait: timeout,
    });
    let got = 0;
    let ended = false;
    for await (const message of replies) {
      const here = stored(message, target);
      if (!here) {
        ended = true;
        break;
      }
      got++;
      next = here.seq + 1;
      yield here;
    }
    if (!ended) throw new ConnectionFailure(`reading ${stream}: no answer in time. --timeout waits longer.`, {});
    if (got === 0) return;
  }
}

/** Undefined for the answer that there are no more. @throws ApiError for another status */
function stored(message: Msg, target: string): StoredMessage | undefined {
  const { headers } = message;
  const seq = Number(headers?.get("Nats-Sequence"));
  if (seq > 0)
    return {
      seq,
      subject: headers?.get("Nats-Subject") ?? "",
      time: headers?.get("Nats-Time-Stamp") ?? "",
      text: message.string(),
    };
  // 204 ends a batch, 404 is an empty one.
  if (headers?.code === 204 || headers?.code === 404) return undefined;
  throw new ApiError(target, { code: headers?.code ?? 0, description: headers?.description ?? message.string() });
}

function notReadable(error: unknown, stream: string, server: string): Error {
  if (!(error instanceof NatsError && error.code === ErrorCode.NoResponders)) {
    return explainFailure(error, `reading ${stream}`, server);
  }
  const next = "`circl status` says which; `circl apply` creates it with what it needs.";
  return new ConnectionFailure(
    `reading ${stream}: nobody answers: it is missing, has no leader, or lacks allow_direct. ${next}`,
    {
      cause: error,
    },
  );
}
