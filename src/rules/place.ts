/** Where a problem is, in words that lead to the line. */
import { environmentPlace, type Model } from "../model/resolve.ts";
import type { Consumer, Stream, StreamOrigin } from "../model/stream.ts";

/** `environments/base.ts: nats.memory`. */
export const inEnvironment = ({ environment, layers }: Model, path: string): string =>
  environmentPlace(environment.name, layers, path);

/** `streams/iot.ts: circl_iot.subjects[0]`. */
export const inStream = (stream: Stream, path = ""): string =>
  `${stream.file}: ${stream.name}${path === "" || path.startsWith("[") ? path : `.${path}`}`;

/** `streams/iot.ts: circl_iot.consumers[0] bff-iot.ackWait`. */
export const inConsumer = (stream: Stream, consumer: Consumer, setting = ""): string =>
  inStream(stream, `consumers[${stream.consumers.indexOf(consumer)}] ${consumer.name}${setting && `.${setting}`}`);

/** `streams/iot.ts: circl_iot_location.sources[0].filterSubject`. */
export const inOrigin = (stream: Stream, origin: StreamOrigin, setting = ""): string =>
  inStream(
    stream,
    `${stream.mirror ? "mirror" : `sources[${stream.sources.indexOf(origin)}]`}${setting && `.${setting}`}`,
  );
