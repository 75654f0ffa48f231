import type { Construct } from "constructs";
import type { Model } from "../model/resolve.ts";
import { NatsCertificates } from "../nats/certificates.ts";
import { BackboneChart } from "./backbone-chart.ts";

/** Certificates for clients and routes, where TLS is on. */
export function certificatesChart(scope: Construct, model: Model): void {
  if (!model.environment.nats.tls || model.environment.certificates !== "cert-manager") return;
  const chart = new BackboneChart(scope, "25-certificates", model);
  new NatsCertificates(chart, "nats", { model });
}
