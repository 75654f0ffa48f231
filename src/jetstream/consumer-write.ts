/** Writes a consumer and reads the answer: a server that drops a field has not done what it was asked for. */
import type { ConsumerInfo, Writer } from "./api.ts";
import type { WireConfig } from "./desired.ts";
import { normaliseConsumer } from "./normalise.ts";
import { lostFields, notKept } from "./read-back.ts";

/** @throws ApiError where the server refuses; Error where it did not keep a field */
export async function writeConsumer(
  stream: string,
  config: WireConfig,
  action: "create" | "update",
  writer: Writer,
): Promise<void> {
  const consumer = String(config.name);
  const filter = typeof config.filter_subject === "string" ? [config.filter_subject] : [];
  const body = { stream_name: stream, config, action };
  const reply = await writer.write<ConsumerInfo>("CONSUMER.CREATE", [stream, consumer, ...filter], body);
  const lost = lostFields(normaliseConsumer(reply.config, config), normaliseConsumer(config, config));
  if (lost.length > 0) throw notKept(`${stream}/${consumer}`, lost);
}
