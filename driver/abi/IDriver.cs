using ControlPlane.Messages;

namespace ControlPlane.DriverAbi;

/// <summary>
/// The seam to a host's data path. One instance per host. Commands may be called concurrently for different NICs; for
/// one NIC the caller has one command open at a time. A command is safe twice and never throws for what the host
/// answers: a refusal is a <see cref="Completion"/> with its status. Loss of the caller changes nothing on the host.
/// </summary>
public interface IDriver : IAsyncDisposable
{
    /// <summary>"linux" or "simulated".</summary>
    string Kind { get; }

    /// <summary>
    /// False: the driver lost its fences, or cannot say; the agent then asks the cluster for its own. To be told fences
    /// that it has already changes nothing, so this is the safe answer.
    /// </summary>
    bool Fenced => false;

    /// <summary>
    /// Frames after <paramref name="after"/> (a seq of the current stream epoch), then live, until cancelled.
    /// Throws <see cref="FramesLostException"/> when that place is no longer kept: a snapshot is due.
    /// </summary>
    IAsyncEnumerable<DriverFrame> Frames(long after, CancellationToken stop);

    /// <summary>Carries out one command and reads the result back from the host.</summary>
    Task<Completion> Command(DriverCommand command, CancellationToken stop);

    /// <summary>What the host has now.</summary>
    Task<Inventory> Snapshot(CancellationToken stop);

    /// <summary>
    /// Fences known to the cluster, given to a driver that lost its own (a missing fence file): highest epoch and
    /// tombstone per NIC key. Until this was called such a driver refuses CreateNic.
    /// </summary>
    Task Fences(IReadOnlyDictionary<string, long> highestEpochs, CancellationToken stop);

    /// <summary>
    /// An ordered end: saves what it has for <see cref="Resume"/> and removes every device, bridge and namespace that it made.
    /// </summary>
    Task Suspend(CancellationToken stop);

    /// <summary>Makes the host ready; after an ordered end puts back what <see cref="Suspend"/> removed, as it was.</summary>
    Task Resume(CancellationToken stop);
}

/// <summary>The reader's place is no longer, or was never, in the stream: a snapshot is due.</summary>
public sealed class FramesLostException(string message) : Exception(message);
