/** Where a problem is, in words that lead to the line. */
import { environmentPlace, type Model } from "../model/resolve.ts";
import type { Stream } from "../model/stream.ts";

/** `environments/base.ts: nats.memory`. */
export const inEnvironment = ({ environment, layers }: Model, path: string): string =>
  environmentPlace(environment.name, layers, path);

/** `streams/iot.ts: circl_iot.subjects[0]`. */
export const inStream = (stream: Stream, path = ""): string =>
  `${stream.file}: ${stream.name}${path === "" || path.startsWith("[") ? path : `.${path}`}`;
