import { defineServices } from "../src/model/service.ts";

/** Everything that talks to the backbone. Who publishes and consumes what is said in the stream files. */
export const services = defineServices({
  iot: { description: "Speaks with devices: publishes what they say, takes commands to them" },
  oms: { description: "Order management: publishes orders, takes commands and delivery news" },
  dms: { description: "Delivery management: publishes delivery news, follows orders and positions", tile38: "read" },
  bff: { description: "Backend of the apps: sends commands, shows everything", tile38: "read" },
  geo: { description: "Puts every position into Tile38", tile38: "write" },
});
