export { adapterConformance } from './adapter/adapter-conformance.ts';
export type {
  AdapterConformanceOptions,
  AdapterData,
  AdapterFactory,
  AdapterServer,
  AdapterSetup,
  FixtureRequest,
} from './adapter/adapter.ts';
export { FIXTURE_TENANTS, fixtureTenant } from './adapter/fixture-operation.ts';
export type { FixtureCall, FixtureOperation, FixtureRoute } from './adapter/fixture-operation.ts';
export { storeConformance } from './store/store-conformance.ts';
export type { StoreData, StoreSuite } from './store/suite.ts';
export { gatewayConformance } from './gateway/gateway-conformance.ts';
export type {
  GatewayConformanceOptions,
  GatewayFactory,
  GatewayServer,
  GatewaySetup,
} from './gateway/gateway.ts';
