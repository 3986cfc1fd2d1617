namespace ControlPlane.Journal.Tests;

/// <summary>A test that every database passes that a journal can be on.</summary>
sealed class ContractFactAttribute : FactAttribute;

public sealed class FenceTests() : FenceContract(new Scratch());

public sealed class BatchTests() : BatchContract(new Scratch());

public sealed class IncarnationTests() : IncarnationContract(new Scratch());
