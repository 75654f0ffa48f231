/** Raw JetStream requests, as stream-sync will send them. */
import type { NatsConnection } from "nats";
import { expect } from "vitest";
import type { DesiredState, WireConfig } from "../../src/jetstream/desired.ts";

export interface Reply {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description: string };
  readonly config?: Record<string, unknown>;
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

export async function request(connection: NatsConnection, subject: string, body: unknown = {}): Promise<Reply> {
  const reply = await connection.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 10_000 });
  return reply.json<Reply>();
}

/** Creates everything, in the order of the definitions. @returns the replies by name */
export async function createAll(connection: NatsConnection, desired: DesiredState): Promise<Map<string, Reply>> {
  const replies = new Map<string, Reply>();
  for (const config of desired.streams) {
    replies.set(String(config.name), await request(connection, `STREAM.CREATE.${config.name}`, config));
  }
  for (const { stream_name, config } of desired.consumers) {
    const body = { stream_name, config, action: "create" };
    const filter = typeof config.filter_subject === "string" ? `.${config.filter_subject}` : "";
    const subject = `CONSUMER.CREATE.${stream_name}.${config.name}${filter}`;
    replies.set(`${stream_name}/${config.name}`, await request(connection, subject, body));
  }
  return replies;
}

/** The server keeps every field as it was sent; it may add defaults and its own metadata. */
export function expectKept(sent: WireConfig, kept: Record<string, unknown> | undefined): void {
  expect(kept).toMatchObject(sent);
}
