/** Contexts of the `nats` command: JSON documents that hold where and as whom. */
import * as v from "valibot";
import type { Target } from "./nats.ts";

const text = v.optional(v.string(), "");
const schema = v.object({
  url: text,
  user: text,
  password: text,
  token: text,
  nkey: text,
  creds: text,
  ca: text,
  cert: text,
  key: text,
  inbox_prefix: text,
});

/** @throws Error for a document that is no context */
export function readContext(json: string): Omit<Target, "timeout"> {
  const context = v.parse(schema, JSON.parse(json));
  const tls = {
    ...(context.ca ? { ca: context.ca } : {}),
    ...(context.cert && context.key ? { cert: context.cert, key: context.key } : {}),
  };
  return {
    servers: context.url.split(",").filter((url) => url !== ""),
    ...(context.user ? { user: context.user } : {}),
    ...(context.password ? { password: context.password } : {}),
    ...(context.token ? { token: context.token } : {}),
    ...(context.nkey ? { nkeyFile: context.nkey } : {}),
    ...(context.creds ? { credsFile: context.creds } : {}),
    ...(context.inbox_prefix ? { inboxPrefix: context.inbox_prefix } : {}),
    ...(Object.keys(tls).length > 0 ? { tls } : {}),
  };
}
