import { storeFromUrl, tenantOf } from '@durable-api/example-reports';
import { DurableApiModule } from '@durable-api/nestjs';
import { Module } from '@nestjs/common';
import { ReportsController } from './reports-controller.ts';
import { ReportsService } from './reports-service.ts';

@Module({
  imports: [
    DurableApiModule.forRootAsync({
      useFactory: () => ({
        store: storeFromUrl(process.env['STORE'] ?? 'sqlite:./operations.db'),
        identify: (request) => tenantOf(request.headers.authorization) ?? 'public',
      }),
    }),
  ],
  controllers: [ReportsController],
  providers: [ReportsService],
})
export class AppModule {}
