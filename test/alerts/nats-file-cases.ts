/** One case an alert about what the NATS servers of production are given in files: credentials and certificates. */
import { answersOf, of2, WITHOUT_ONE } from "./nats-server-cases.ts";
import type { AlertCases } from "./scenario.ts";

const namespace = "circl-backbone";

/** A certificate of somebody else in our namespace, about to end. */
const theirs = {
  [`certmanager_certificate_expiration_timestamp_seconds{namespace="cert-manager",exported_namespace="${namespace}",name="theirs"}`]:
    "86400",
};

export const natsFileCases: AlertCases = {
  NatsReloadFailed: {
    fires: [
      {
        // Changed after ten and a half minutes: two servers took it, one did not.
        from: "1230s",
        at: "23m",
        set: [
          [/^kube_secret_metadata_resource_version\{.*nats-auth/, "4711x20 4712x60"],
          [/^nats_varz_config_load_time\{.*nats-[01]"/, "0x22 660000x60"],
        ],
        labels: of2,
        summary:
          "circl-production-nats-2 has not taken its Secrets since 1970-01-01 00:00:00 +0000 UTC, and they have changed",
      },
      {
        from: "1230s",
        at: "23m",
        set: [
          [/^certmanager_certificate_.*nats-route-tls/, `${60 * 86_400}x20 ${90 * 86_400}x60`],
          [/^nats_varz_config_load_time\{.*nats-[01]"/, "0x22 660000x60"],
        ],
        labels: of2,
        summary:
          "circl-production-nats-2 has not taken its Secrets since 1970-01-01 00:00:00 +0000 UTC, and they have changed",
      },
    ],
    quiet: [
      // All took it, one of them minutes before it was seen to change.
      {
        at: "40m",
        set: [
          [/^kube_secret_metadata_resource_version\{.*nats-auth/, "4711x20 4712x80"],
          [/^nats_varz_config_load_time\{.*nats-[01]"/, "0x26 780000x80"],
          [/^nats_varz_config_load_time\{.*nats-2"/, "0x14 430000x80"],
        ],
        // Somebody else's server in our namespace has other Secrets.
        add: Object.fromEntries(
          ["nats_varz_config_load_time", "nats_server_jetstream_disabled"].map((metric) => [
            `${metric}{job="theirs",namespace="${namespace}",server_id="theirs"}`,
            "0",
          ]),
        ),
      },
      // Somebody annotated the Secret of a certificate: its file is the same.
      {
        at: "40m",
        set: [[/^kube_secret_metadata_resource_version\{.*nats-server-tls/, "4711x20 4712x80"]],
      },
      {
        at: "23m",
        set: [
          [/^kube_secret_metadata_resource_version\{.*nats-auth/, "4711x20 4712x60"],
          [/^nats_varz_config_load_time\{.*nats-[01]"/, "0x22 660000x60"],
        ],
        drop: [answersOf("nats-2")],
        also: WITHOUT_ONE,
      },
    ],
  },
  NatsCertificateNotRenewed: {
    step: "5m",
    fires: [
      {
        at: "65m",
        set: [[/^certmanager_.*nats-server-tls/, String(20 * 86_400)]],
        labels: { exported_namespace: namespace, namespace: "cert-manager", name: "nats-server-tls" },
        summary: "Certificate nats-server-tls ends in 19d 22h 55m 0s",
      },
      {
        at: "65m",
        set: [[/^certmanager_.*nats-ca/, String(170 * 86_400)]],
        labels: { exported_namespace: namespace, namespace: "cert-manager", name: "nats-ca" },
        summary: "Certificate nats-ca ends in 169d 22h 55m 0s",
      },
    ],
    quiet: {
      at: "65m",
      set: [
        [/^certmanager_.*nats-server-tls/, String(22 * 86_400)],
        [/^certmanager_.*nats-ca/, String(181 * 86_400)],
      ],
      add: theirs,
    },
  },
  NatsCertificateExpiring: {
    fires: {
      at: "12m",
      // Where the monitor of cert-manager honours labels, the namespace is the certificate's own.
      drop: [/^certmanager_.*nats-route-tls/],
      add: {
        [`certmanager_certificate_expiration_timestamp_seconds{namespace="${namespace}",name="nats-route-tls"}`]:
          String(2 * 86_400),
      },
      labels: { namespace, name: "nats-route-tls" },
      summary: "Certificate nats-route-tls ends in 1d 23h 48m 0s",
    },
    quiet: {
      at: "12m",
      set: [
        [/^certmanager_.*nats-server-tls/, String(3.1 * 86_400)],
        [/^certmanager_.*nats-ca/, String(92 * 86_400)],
      ],
      add: theirs,
    },
  },
};
