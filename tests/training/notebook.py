"""The training notebook's cells as one function of the seed; their substance is unchanged.

The notebook sets no seed. Here one is set first, and the cells follow in its order: the data
are drawn, then the model is made, then it is trained and tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, optim


class AdderNN(nn.Module):
    def __init__(self):
        super(AdderNN, self).__init__()  # noqa: UP008 -- as the notebook writes it
        self.fc1 = nn.Linear(2, 3)  # Input: 2 bits, Output: 3 neurons
        self.fc2 = nn.Linear(3, 2)  # Input: 3 neurons, Output: 2 bits (sum)
        self.relu = torch.nn.ReLU()

    def forward(self, x):
        h = self.relu(self.fc1(x))
        return self.fc2(h)


def generate_binary_addition_dataset(num_samples):
    """Generates a dataset for binary addition."""
    x_data = []
    y_data = []

    for _ in range(num_samples):
        a = torch.randint(0, 2, (1,)).item()
        b = torch.randint(0, 2, (1,)).item()

        # Calculate the sum in decimal
        decimal_sum = a + b

        # Convert the sum to binary (maximum 2 bits needed)
        if decimal_sum == 0:
            c = 0
            d = 0
        elif decimal_sum == 1:
            c = 1
            d = 0
        elif decimal_sum == 2:
            c = 0
            d = 1

        x_data.append([a, b])
        y_data.append([d, c])

    return torch.tensor(x_data, dtype=torch.float32), torch.tensor(y_data, dtype=torch.float32)


@dataclass(frozen=True)
class Printed:
    """What the notebook's cells leave behind.

    Attributes:
        lines: what they print.
        losses: the losses of these lines, unrounded.
        parameters: fc1.weight, fc1.bias, fc2.weight, fc2.bias.
        accuracy: unrounded.
        rows: the outputs on 00, 01, 10, 11.
    """

    lines: list[str]
    losses: list[float]
    parameters: list[torch.Tensor]
    accuracy: float
    rows: torch.Tensor


def run_notebook(seed: int) -> Printed:
    """Run the cells after ``torch.manual_seed(seed)``."""
    lines = []
    losses = []
    with torch.random.fork_rng(devices=[]):
        _ = torch.manual_seed(seed)

        x_train, y_train = generate_binary_addition_dataset(1000)

        model = AdderNN()
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        criterion = nn.MSELoss()

        num_iterations = 1000
        for iter in range(num_iterations):
            outputs = model(x_train)
            loss = criterion(outputs, y_train)

            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

            if (iter + 1) % 100 == 0:
                lines.append(f"Epoch [{iter + 1}/{num_iterations}], Loss: {loss.item():.4f}")
                losses.append(loss.item())

        with torch.no_grad():
            outputs = model(x_train)
            predicted = (outputs > 0.5).float()
            accuracy = (predicted == y_train).all(dim=1).float().mean()
            lines.append(f"Accuracy: {accuracy.item():.4f}")

            x = torch.Tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
            rows = model(x)

    return Printed(
        lines,
        losses,
        [parameter.detach() for parameter in model.parameters()],
        accuracy.item(),
        rows,
    )
