/** Cases of the alerts on what External Secrets brings, and on what it hands to the store. */
import type { AlertCases } from "./scenario.ts";

const ofOrders = /^externalsecret_status_condition\{.*circl-backbone-oms.*status="True"/;

const ofAuthority = /^pushsecret_status_condition\{.*nats-ca.*status="True"/;
/** Where the monitor of External Secrets honours labels, the namespace is its own. */
const honoured =
  'pushsecret_status_condition{namespace="circl-backbone",name="nats-ca",condition="Ready",status="True"}';

/** What somebody else has in our namespace, and what is said of ours beside whether it is ready. */
const theirs = (kind: string, ours: string) =>
  Object.fromEntries(
    [
      ["theirs", "Ready"],
      [ours, "Deleted"],
    ].map(([name, condition]) => [
      `${kind}_status_condition{namespace="external-secrets",exported_namespace="circl-backbone",name="${name}",condition="${condition}",status="True"}`,
      "0",
    ]),
  );

export const secretCases: AlertCases = {
  SecretNotSynced: {
    fires: [
      {
        at: "17m",
        set: [
          [ofOrders, "0"],
          [/^externalsecret_status_condition\{.*circl-backbone-oms.*status="False"/, "1"],
        ],
        labels: { exported_namespace: "circl", name: "circl-backbone-oms" },
        summary: "ExternalSecret circl-backbone-oms in circl is not synced",
      },
      {
        from: "1530s",
        at: "27m",
        // Its controller is gone, and all that it said.
        set: [[ofOrders, "1x20 stale"]],
        labels: { exported_namespace: "circl", name: "circl-backbone-oms" },
        summary: "ExternalSecret circl-backbone-oms in circl is looked after by nobody",
      },
      {
        at: "17m",
        // Where the monitor of External Secrets honours labels, the namespace is its own.
        set: [[ofOrders, "_"]],
        add: {
          'externalsecret_status_condition{namespace="circl",name="circl-backbone-oms",condition="Ready",status="True"}':
            "0",
        },
        labels: { namespace: "circl", name: "circl-backbone-oms" },
        summary: "ExternalSecret circl-backbone-oms in circl is not synced",
      },
    ],
    // The store was away for almost a quarter of an hour, and so was what says so; what is none of ours may fail for ever.
    quiet: {
      at: "30m",
      set: [
        [ofOrders, "1x4 0x29 1x60"],
        [/^externalsecret_status_condition\{.*tile38-leader-config.*status="True"/, "1x4 stale _x29 1x60"],
      ],
      add: {
        'externalsecret_status_condition{namespace="circl",name="circl-backbone-iot",condition="Ready",status="True"}':
          "1",
        'externalsecret_status_condition{namespace="elsewhere",name="theirs",condition="Ready",status="True"}': "0",
        ...theirs("externalsecret", "circl-backbone-oms"),
      },
    },
  },
  SecretNotPushed: {
    fires: [
      {
        at: "17m",
        set: [
          [ofAuthority, "0"],
          [/^pushsecret_status_condition\{.*nats-ca.*status="False"/, "1"],
        ],
        labels: { exported_namespace: "circl-backbone", name: "nats-ca" },
        summary: "PushSecret nats-ca in circl-backbone does not reach the store",
      },
      {
        from: "1530s",
        at: "27m",
        set: [[ofAuthority, "1x20 stale"]],
        labels: { exported_namespace: "circl-backbone", name: "nats-ca" },
        summary: "PushSecret nats-ca in circl-backbone is looked after by nobody",
      },
      {
        at: "17m",
        set: [[ofAuthority, "_"]],
        add: { [honoured]: "0" },
        labels: { namespace: "circl-backbone", name: "nats-ca" },
        summary: "PushSecret nats-ca in circl-backbone does not reach the store",
      },
    ],
    quiet: [
      { at: "30m", set: [[ofAuthority, "1x4 0x29 1x60"]], add: theirs("pushsecret", "nats-ca") },
      { at: "30m", set: [[ofAuthority, "_"]], add: { [honoured]: "1x4 stale _x29 1x60" } },
    ],
  },
};
