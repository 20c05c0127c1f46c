export { gateway } from './gateway.ts';
export type { Gateway, GatewayApi } from './gateway.ts';
export type { GatewayOperation, GatewayOptions } from './options.ts';
export type { GatewayKeys, NewGatewayKey } from './access/gateway-keys.ts';
export type { KeyInfo } from './access/key-ring.ts';
export type { NodeHandler } from './http/node-handler.ts';
export { gatewayPlugin } from './mounts/fastify-plugin.ts';
export type { FastifyScope } from './mounts/fastify-plugin.ts';
