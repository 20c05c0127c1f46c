import { tenantOf } from '@durable-api/example-reports';
import { UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';

/** Lets in the tenants that there are. */
export class TenantGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context
      .switchToHttp()
      .getRequest<{ headers: { authorization?: string } }>();
    if (tenantOf(headers.authorization) !== null) return true;
    throw new UnauthorizedException('Send Authorization: Bearer tenant-a, or tenant-b.');
  }
}
