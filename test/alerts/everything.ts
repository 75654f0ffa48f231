/** Production with one more of each kind of stream that has alerts of its own: a mirror, and a bucket that refuses when full. */
import { defineBucket } from "../../src/model/bucket.ts";
import { streams } from "../../streams/index.ts";
import { modelWith } from "../support/definitions.ts";

const mirror = { name: "circl_oms_copy", mirror: { name: "circl_oms" }, replicas: 3, maxBytes: "1GiB" } as const;
const bucket = defineBucket({ bucket: "vehicles", replicas: 3, maxBytes: "100MiB" });

export const everything = modelWith({ streams: [...Object.values(streams).flat(), mirror, bucket] });
