using ControlPlane.Journal.Tests;
using ControlPlane.Postgres.Tests;

namespace ControlPlane.Journal.Tests
{
    /// <summary>A test that every database passes that a journal can be on; here it needs a server.</summary>
    sealed class ContractFactAttribute : FactAttribute
    {
        public ContractFactAttribute() => Skip = PostgresFactAttribute.Reason;
    }
}

namespace ControlPlane.Postgres.Tests
{
    [Collection(OnSharedServer.Name)]
    public sealed class FenceTests(SharedServer server) : FenceContract(server.NewStore());

    [Collection(OnSharedServer.Name)]
    public sealed class BatchTests(SharedServer server) : BatchContract(server.NewStore());

    [Collection(OnSharedServer.Name)]
    public sealed class IncarnationTests(SharedServer server) : IncarnationContract(server.NewStore());

    [Collection(OnSharedServer.Name)]
    public sealed class OutcomeTests(SharedServer server) : OutcomeContract(server.NewStore());
}
