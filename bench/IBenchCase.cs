namespace ControlPlane.Bench;

/// <summary>
/// One way to store the same events. A further case (the product's own shell over the journal) is one more class and one
/// more line in <c>Program.cs</c>.
/// </summary>
interface IBenchCase
{
    string Name { get; }

    /// <summary>Stores the same number of events for each of <see cref="Load.Entities"/> in a fresh database.</summary>
    Task<Measured> Run(BenchDatabase database);
}

/// <summary>The same work for every case.</summary>
static class Load
{
    public const int Entities = 1_000;

    public static int Events(int perEntity) => Entities * perEntity;

    public static string EntityId(int entity) => $"port/host-{entity % 8}/switch-{entity % 32}/port-{entity}";

    public static BenchEvent Event(int entity, int nr) => new($"port-{entity}", nr, "connected", 1_000L * nr);
}

/// <summary>A small event, as most of ours are.</summary>
sealed record BenchEvent(string Port, int Revision, string State, long At);

/// <param name="Events">Stored events.</param>
/// <param name="Seconds">From the first event offered to the last one acknowledged; start-up is not counted.</param>
/// <param name="Commits">Transactions, where the case knows them.</param>
/// <param name="Starts">Empty entities started per second, the journal's own start included, where there are entities.</param>
sealed record Measured(int Events, double Seconds, long? Commits = null, double? Starts = null)
{
    public double PerSecond => Events / Seconds;
}
