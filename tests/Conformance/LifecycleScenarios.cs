namespace ControlPlane.Tests.Conformance;

// Every scenario, on the lifecycles alone.

public sealed class LegalOnLifecycles() : LegalScenarios(new WorldTarget());

public sealed class AdaptersOnLifecycles() : AdapterScenarios(new WorldTarget());

public sealed class IllegalOnLifecycles() : IllegalScenarios(new WorldTarget());

public sealed class RefusalsOnLifecycles() : RefusalScenarios(new WorldTarget());

public sealed class DrainOnLifecycles() : DrainScenarios(new WorldTarget());

public sealed class OrderOnLifecycles() : OrderScenarios(new WorldTarget());

public sealed class VmsOnLifecycles() : VmScenarios(new WorldTarget());

public sealed class PropertiesOnLifecycles() : PropertyScenarios(new WorldTarget());

public sealed class VmNicsOnLifecycles() : VmNicScenarios(new WorldTarget());

public sealed class PendingOnLifecycles() : PendingScenarios(new WorldTarget());

public sealed class SaveOnLifecycles() : SaveScenarios(new WorldTarget());

public sealed class StackOnLifecycles() : StackScenarios(new WorldTarget());

public sealed class SwitchOnLifecycles() : SwitchScenarios(new WorldTarget());

public sealed class MigrationsOnLifecycles() : MigrationScenarios(new WorldTwoHosts());

public sealed class OriginatedOnLifecycles() : OriginatedScenarios(new WorldTarget());

public sealed class StateTableOnLifecycles() : StateTableScenarios(new WorldTarget());
