using Akka.Actor;
using Akka.Actor.Setup;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// What comes into the journal by the door. Give one to the actor system's setup to share <see cref="Health"/> with the
/// host's services or to set time; without one the defaults hold.
/// </summary>
sealed class JournalWiring : Setup
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public JournalLimits Limits { get; init; } = JournalLimits.Default;

    public JournalHealth Health { get; init; } = new();

    /// <summary>The database to write to, given the writer's id; null: the file that the plugin's connection string names.</summary>
    public Func<string, JournalLimits, IJournalFaults, IJournalDialect>? Dialect { get; init; }

    internal IJournalFaults Faults { get; init; } = NoFaults.Instance;

    public static JournalWiring Of(ActorSystem system)
    {
        var given = system.Settings.Setup.Get<JournalWiring>();
        return given.HasValue ? given.Value : new JournalWiring();
    }

    /// <summary>Names one instance of a journal. Looking up a lost commit must not mistake another's row for its own.</summary>
    public string NewWriterId() => Guid.CreateVersion7(Time.GetUtcNow()).ToString("N");
}
