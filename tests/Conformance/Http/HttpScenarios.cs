namespace ControlPlane.Tests.Conformance;

// Every scenario, over HTTP.

[Collection(OverHttp.Name)]
public sealed class LegalOverHttp(RunningControlPlane running) : LegalScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class AdaptersOverHttp(RunningControlPlane running) : AdapterScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class IllegalOverHttp(RunningControlPlane running) : IllegalScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class RefusalsOverHttp(RunningControlPlane running) : RefusalScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class DrainOverHttp(RunningControlPlane running) : DrainScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class OrderOverHttp(RunningControlPlane running) : OrderScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class VmsOverHttp(RunningControlPlane running) : VmScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class PropertiesOverHttp(RunningControlPlane running) : PropertyScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class VmNicsOverHttp(RunningControlPlane running) : VmNicScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class PendingOverHttp(RunningControlPlane running) : PendingScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class SaveOverHttp(RunningControlPlane running) : SaveScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class StackOverHttp(RunningControlPlane running) : StackScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class SwitchOverHttp(RunningControlPlane running) : SwitchScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class MigrationsOverHttp(RunningControlPlane running) : MigrationScenarios(new HttpTwoHosts(running));

[Collection(OverHttp.Name)]
public sealed class StateTableOverHttp(RunningControlPlane running) : StateTableScenarios(new HttpTarget(running));

[Collection(OverHttp.Name)]
public sealed class OriginatedOverHttp(RunningControlPlane running) : OriginatedScenarios(new HttpTarget(running));
