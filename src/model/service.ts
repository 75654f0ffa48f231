/** The services that use the backbone. */
import * as v from "valibot";
import { dnsLabel, oneOf, only, text } from "./schema.ts";

export const serviceSchema = only({
  description: text,
  /** Where its pods run and its Secret is put. @default the environment's clientNamespace */
  namespace: v.exactOptional(dnsLabel),
  /** What it does with live positions: readers reach the followers, writers the leader. */
  tile38: v.exactOptional(oneOf(["read", "write"])),
});

export type ServiceInput = v.InferInput<typeof serviceSchema>;
export type Service = v.InferOutput<typeof serviceSchema> & { readonly name: string };

/** Declares the services by name; pods of a service carry the label `circl.dev/service: <name>`. */
export const defineServices = <const T extends Readonly<Record<string, ServiceInput>>>(services: T): T => services;
