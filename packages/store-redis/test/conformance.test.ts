import { describeWithServer } from './support/describe-with-server.ts';
import { conformsOnSafeServer } from './support/safe-conformance.ts';

describeWithServer('on a server that appends and syncs always', () => conformsOnSafeServer(1));
